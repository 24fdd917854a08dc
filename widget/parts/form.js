// A few fields at once, usually name and e-mail for a time that is held meanwhile: labelled, checked, filled in by the browser.

/** @type {Record<string, string>} */
const AUTOCOMPLETE = {
  name: "name", first_name: "given-name", last_name: "family-name", email: "email", phone: "tel", company: "organization", title: "organization-title",
};
const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@.]{2,}$/;
const PHONE = /^\+?[\d\s()./-]{5,25}$/;

/** @type {Draw<FormPart>} */
export function form({ fields, submit, held }, kit) {
  const { t, dom: { el } } = kit;
  const inputs = fields.map(control);
  const send = el("button.primary", { type: "submit" }, submit || t("send"));
  const it = el("form.card.form", { noValidate: true, onsubmit: sent, part: "card", ariaLive: "off" }, ...inputs.map(({ row }) => row), send);
  if (held) it.prepend(hold(held, kit, over)); // the last: the time may be over already
  inputs.find(({ input }) => !input.value)?.input.setAttribute("data-first", "");
  return it;

  /** The time went to nobody: the way on is to another one. */
  function over() {
    const had = send.matches(":focus");
    const other = el("button.primary", { onclick: () => kit.act("other_times", t("do_other")) }, t("other"));
    send.replaceWith(other);
    if (had) other.focus();
  }

  /** @param {Field} field */
  function control(field) {
    const { id, label, required, value, options } = field;
    const type = { email: "email", phone: "tel", tel: "tel", number: "number", date: "date", url: "url" }[field.type ?? ""] ?? "text";
    const common = { id: "f-" + id, required, autocomplete: AUTOCOMPLETE[id] ?? AUTOCOMPLETE[field.type ?? ""] ?? "on" };
    const input = options
      ? el("select", common, ...options.map((it) => el("option", { value: it.id, selected: it.id === value }, it.label)))
      : field.type === "textarea" || field.type === "long"
        ? el("textarea", { ...common, rows: 2, value: value ?? "" })
        : el("input", { ...common, type, value: value ?? "", inputMode: type === "number" ? "numeric" : null });
    const hint = id === "guests" ? el("small", { id: "h-" + id }, t("guests")) : null;
    const error = el("span.error", { id: "e-" + id });
    input.setAttribute("aria-describedby", error.id + (hint ? " " + hint.id : ""));
    input.oninput = () => error.textContent && judge(); // not on blur: a line that appears would move the button away from under the press
    const row = el("div.field", {},
      el("label", { htmlFor: input.id }, label, !required && el("i", {}, " " + t("optional"))),
      input, hint, error);
    return { id, input, row, judge };

    /** @returns {boolean} whether this field can be sent */
    function judge() {
      const wrong = problem(kit.dom.clean(input.value), id === "email" || type === "email" ? "email" : type, !!required) || (input.checkValidity() ? "" : "wrong");
      error.textContent = wrong && t(wrong);
      input.ariaInvalid = wrong ? "true" : null;
      return !wrong;
    }
  }

  /** @param {Event} event */
  function sent(event) {
    event.preventDefault();
    if (!send.isConnected) return; // Enter in a field, after the time was over
    const wrong = inputs.filter(({ judge }) => !judge());
    if (wrong.length) return wrong[0].input.focus();
    const values = inputs.map(({ id, input }) => /** @type {[string, string]} */ ([id, kit.dom.clean(input.value)]));
    const shown = inputs.map(({ input }) => (input instanceof HTMLSelectElement ? input.selectedOptions[0]?.label : kit.dom.clean(input.value)));
    kit.say(shown.filter(Boolean).join("\n"), { form: Object.fromEntries(values) });
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
