// The widget's own words. English is here; the other languages are files that come when needed. Times by Intl.

/** @type {Record<string, string>} */
export const en = {
  close: "Close chat",
  message: "Write a message…",
  send: "Send",
  log: "Conversation",
  assistant: "AI assistant",
  team: "Replies in person",
  waiting: "Finding a person for you…",
  ended: "This conversation has ended",
  restart: "Start a new conversation",
  you: "You",
  sending: "Sending…",
  refused: "Not sent",
  again: "Try again",
  lost: "Connection lost. Trying again…",
  offline: "You are offline. Your messages will be sent when you are back.",
  gone: "The chat cannot be reached from this page.",
  unreached: "This could not be loaded. Are you online?",
  begin: "Let’s start",
  unread: "{count} new",
  latest: "New messages",
  source: "Source",
  today: "Today",
  yesterday: "Yesterday",
  confirm: "Confirm",
  pick: "Choose one or more",
  date: "Date",
  long: "{count} characters too many",
  open: "Open",
  soon: "Usually answers in about {minutes} min",
  asked: "We have told the team. Somebody will be with you shortly.",
  away: "Nobody is here at the moment. Leave your e-mail and we will get back to you.",
  // booking
  minutes: "{count} min",
  suggested: "Suggested times",
  all: "More times",
  fewer: "Suggested times only",
  earlier: "Previous day",
  later: "Next day",
  nothing: "No open times at the moment.",
  loading: "Looking for open times…",
  failed: "The times could not be loaded.",
  zone: "Time zone",
  find: "Search a city or a time zone",
  nozone: "Nothing found",
  length: "Meeting",
  held: "Held for you for {time}",
  expired: "This time is no longer held for you.",
  other: "See other times",
  required: "Please fill this in.",
  email: "Please enter an e-mail address such as name@company.com.",
  phone: "Please enter a phone number.",
  wrong: "Please check this.",
  optional: "optional",
  guests: "Separate several addresses with commas.",
  booked: "You’re booked",
  moved: "New time confirmed",
  cancelled: "Cancelled",
  pending: "Waiting for confirmation",
  with: "with {name}",
  join: "Join the meeting",
  add: "Add to calendar",
  google: "Google",
  outlook: "Outlook",
  ics: "Apple / .ics",
  reschedule: "Reschedule",
  cancel: "Cancel meeting",
  do_reschedule: "I’d like to reschedule",
  do_cancel: "Please cancel the meeting",
  do_other: "I’d like to see other times",
};

/**
 * @param {Host} host
 * @returns {Promise<Record<string, string>>} all texts in a language that the site speaks; English ones where it has none
 */
export async function texts(host) {
  const name = "lang-" + host.locale;
  try {
    return PINS[name] ? { ...en, ...(await host.part(name, PINS[name])).default } : en;
  } catch {
    return en; // the language file is out of reach: better English than nothing
  }
}

/** @param {string} text @param {Record<string, string | number>} [values] */
export function fill(text, values = {}) {
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/** @type {Map<string, Intl.DateTimeFormat>} making one costs more than all that is ever formatted with it */
const formats = new Map();

/** @param {string | number} at a moment @param {string} tag @param {Intl.DateTimeFormatOptions} options */
export function when(at, tag, options) {
  const key = tag + JSON.stringify(options);
  const format = formats.get(key) ?? new Intl.DateTimeFormat(tag, options);
  formats.set(key, format);
  return format.format(new Date(at));
}

/** @param {string} at @param {string} tag @param {(key: string) => string} t @returns {string} "Today", "Yesterday" or the date */
export function dayName(at, tag, t) {
  const days = Math.round((midnight(Date.now()) - midnight(new Date(at).getTime())) / 864e5);
  if (days === 0 || days === 1) return t(days ? "yesterday" : "today");
  return when(at, tag, { weekday: "long", day: "numeric", month: "long" });
}

/** @param {number} at */
function midnight(at) {
  return new Date(at).setHours(0, 0, 0, 0);
}
