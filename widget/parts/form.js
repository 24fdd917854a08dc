// A few fields at once, usually name and e-mail for a time that is held meanwhile: labelled, checked, filled in by the browser.

/** @type {Record<string, string>} */
const AUTOCOMPLETE = {
  name: "name", first_name: "given-name", last_name: "family-name", email: "email", phone: "tel", company: "organization", title: "organization-title",
};
const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@.]{2,}$/;
const PHONE = /^\+?[\d\s()./-]{5,25}$/;

/** @type {Draw<FormPart>} */
export function form({ fields, submit, held }, kit) {
  const { t, dom: { el, clean } } = kit;
  const inputs = fields.map(control);
  const send = el("button.primary", { type: "submit" }, submit || t("send"));
  const it = el("form.card.form", { noValidate: true, onsubmit: sent, part: "card", ariaLive: "off" }, ...inputs.map(({ shown }) => shown), send);
  if (held) it.prepend(hold(held, kit, over)); // the last: the time may be over already
  inputs.find(({ input }) => !input.value)?.input.setAttribute("data-first", "");
  place();
  return it;

  /** The time is held no longer, but may still be free: it can be asked for, or another. What was filled in goes along. */
  function over() {
    send.after(el("button.text", { onclick: () => kit.act("other_times", t("do_other"), { form: values() }) }, t("other")));
  }

  /** @param {Field} field */
  function control(field) {
    const { id, label, value, options } = field;
    const type = { email: "email", phone: "tel", tel: "tel", number: "number", date: "date", url: "url" }[field.type ?? ""] ?? "text";
    const several = field.type === "emails";
    const common = { id: "f-" + id, required: field.required, value: value ?? "", autocomplete: AUTOCOMPLETE[id] ?? AUTOCOMPLETE[field.type ?? ""] ?? "on" };
    const input = options
      ? choice(options, value ?? "", label)
      : field.type === "textarea" || field.type === "long"
        ? el("textarea", { ...common, rows: 2 })
        : el("input", { ...common, type, inputMode: type === "number" ? "numeric" : several ? "email" : null });
    const hint = several ? el("small", { id: "h-" + id }, t("guests")) : null;
    const error = el("span.error", { id: "e-" + id });
    input.setAttribute("aria-describedby", error.id + (hint ? " " + hint.id : ""));
    input.oninput = () => error.textContent && judge(); // not on blur: a line that appears would move the button away from under the press
    const row = el("div.field", {},
      el("label", { htmlFor: input.id }, label, !field.required && !field.for && el("i", {}, " " + t("optional"))),
      input, hint, error);
    const more = el("button.text", { onclick: () => (more.replaceWith(row), input.focus()) }, "+ " + label);
    return { id, for: field.for, input, row, judge, shown: several && !value ? more : row };

    /** @returns {boolean} whether this field can be sent */
    function judge() {
      const needed = !!(field.required || field.for) && !row.hidden;
      const wrong = problem(clean(input.value), type, needed) || (input.checkValidity() ? "" : "wrong");
      error.textContent = wrong && t(wrong);
      input.ariaInvalid = wrong ? "true" : null;
      return !wrong;
    }
  }

  /** A few things side by side, one of them pressed. @param {Option[]} options @param {string} value @param {string} label */
  function choice(options, value, label) {
    const buttons = options.map((it) => el("button", { onclick: () => press(it.id) }, it.label));
    const group = Object.assign(el("div.lengths", { role: "group", ariaLabel: label }, ...buttons), { value, checkValidity: () => true });
    press(value);
    return group;

    /** @param {string} id */
    function press(id) {
      group.value = id;
      buttons.forEach((button, at) => (button.ariaPressed = String(options[at].id === id)));
      if (group.isConnected) place();
    }
  }

  /** What is asked only for one way to meet is seen only with it. */
  function place() {
    const at = inputs.find(({ id }) => id === "place")?.input.value;
    for (const { for: of, row } of inputs) row.hidden = !!of && of !== at;
  }

  function values() {
    return Object.fromEntries(inputs.filter(({ row }) => !row.hidden).map(({ id, input }) => [id, clean(input.value)]));
  }

  /** @param {Event} event */
  function sent(event) {
    event.preventDefault();
    const wrong = inputs.filter(({ judge }) => !judge());
    if (wrong.length) return wrong[0].input.focus();
    const told = values();
    const shown = fields.map(({ id, options }) => options?.find((it) => it.id === told[id])?.label ?? told[id]);
    kit.say(shown.filter(Boolean).join("\n"), { form: told });
  }
}

/** @param {string} value @param {string} type @param {boolean} required @returns {string} the name of what to say */
function problem(value, type, required) {
  if (!value) return required ? "required" : "";
  if (type === "email" && !EMAIL.test(value)) return "email";
  if (type === "tel" && !PHONE.test(value)) return "phone";
  return "";
}

/** The time that is held, and for how long still. @param {Held} held @param {Kit} kit @param {() => void} over */
function hold({ start, end, expires_at }, { t, tag, zone, skew, dom: { el } }, over) {
  const range = new Intl.DateTimeFormat(tag, { weekday: "long", day: "numeric", month: "long", hour: "numeric", minute: "2-digit", timeZone: zone });
  const left = el("span", { role: "timer" });
  const box = el("div.held", {}, el("strong", {}, range.formatRange(new Date(start), new Date(end))), left);
  const until = Date.parse(expires_at) + skew;
  let shown = false;
  const ticking = setInterval(tick, 1000);
  tick();
  return box;

  function tick() {
    if (shown && !box.isConnected) return clearInterval(ticking);
    shown = box.isConnected;
    const seconds = Math.round((until - Date.now()) / 1000);
    left.textContent = t("held", { time: `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}` });
    if (seconds > 0) return;
    clearInterval(ticking);
    over();
    left.replaceWith(el("span", { role: "alert" }, t("expired")));
  }
}
