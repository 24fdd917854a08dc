// The booking parts, loaded together when the first of them is needed.
import css from "./booking.css";
import { form } from "./form.js";
import { meeting } from "./meeting.js";
import { slots } from "./slots.js";

export const sheet = new CSSStyleSheet();
sheet.replaceSync(css);

/** @type {Record<string, Draw<any>>} */
export const parts = { slots, form, meeting };
