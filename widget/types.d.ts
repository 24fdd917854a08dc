// The shapes of docs/protocol.md, and what the widget's own modules hand to each other. Types only: nothing of this is shipped.

declare module "*.css" {
  const text: string;
  export default text;
}

type Value = string | number | boolean | null | undefined | Value[] | { [key: string]: Value };
type Tree = Value;
type Localised = string | Record<string, string>;

interface Display { after?: number; scroll?: number; exit?: boolean; show?: "open" | "teaser" | "quiet"; open?: boolean }
interface Playbook { id: string; traffic?: number; if?: Tree; display?: Display; opening?: Localised }
/** `color` is any CSS colour, `light-dark(…)` among them; the script tag's data-* take the place of what is here */
interface Brand {
  color: string; scheme: string; position: string; x: number | string; y: number | string; z: number | string;
  logo?: string; launcher?: Localised; agent_name?: string;
}
interface Config {
  site: string; version: number; name: string; locale: string; locales: string[]; brand: Brand;
  consent: "none" | "on-open" | "external"; traffic: number; panel: string; playbooks: Playbook[];
  /** what to say when a file of the chat cannot be fetched */
  sorry?: Localised;
  /** whether the server wants to know that somebody who may be recorded is here */
  ahead?: boolean;
  /** a regular expression for the paths on which the chat is seen */
  pages: string;
}

interface Page { url: string; path: string; title: string; referrer: string; query: Record<string, string>; utm: Record<string, string> }
interface PageView { path: string; seconds: number; scroll: number; words?: number }

interface Meeting {
  id: string; name: string; status: string; start: string; end: string; zone: string; rep?: { name: string };
  location?: string; manage_url?: string; ics_url?: string; google_url?: string; outlook_url?: string;
}
interface Option { id: string; label: string }
interface Day { date: string; slots: string[] }
interface Held { start: string; end: string; expires_at: string }
interface Field { id: string; label: string; type?: string; required?: boolean; value?: string; options?: Option[]; for?: string }

type ChoicesPart = { kind: "choices"; options: Option[]; multi?: boolean };
type InputPart = { kind: "input"; input: string; placeholder?: string };
type SlotsPart = {
  kind: "slots"; meeting: string; name: string; minutes: number; zone: string; pool?: string; with?: string;
  meetings?: { id: string; name: string; minutes: number }[]; suggested?: string[]; days: Day[]; next_from?: string | null;
};
type FormPart = { kind: "form"; fields: Field[]; submit?: string; held?: Held | null };
type MeetingPart = { kind: "meeting"; meeting: Meeting };
type OfferPart = { kind: "offer"; title: string; url: string; text?: string; image?: string };
type HandoffPart = { kind: "handoff"; queue?: string; eta_seconds?: number | null };
type FallbackPart = { kind: "fallback"; actions: Option[] };
type BeginPart = { kind: "begin" };
type Part = BeginPart | ChoicesPart | InputPart | SlotsPart | FormPart | MeetingPart | OfferPart | HandoffPart | FallbackPart;

interface Message {
  seq: number; id?: string | null; author: "visitor" | "bot" | "rep"; name?: string; text: string; at: string; node?: string;
  citations?: { title: string; url: string }[]; part?: Part | null;
}
interface Agent { name: string; avatar?: string; human?: boolean }
type State = "bot" | "waiting_rep" | "rep" | "closed";

interface SayFrame { t: "say"; id: string; text: string; value?: object }
interface Unsent { id: string; text: string; at: string; value?: object }
type Frame = { t: string; [field: string]: any };

/** A way to the server: a WebSocket, or requests that look like one. */
interface Way {
  send(text: string): void;
  close(): void;
  onopen: ((event?: any) => void) | null;
  onmessage: ((event: any) => void) | null;
  onclose: ((event: any) => void) | null;
}
type Connected = "live" | "lost" | "gone";
interface Line {
  /** false when it could not be sent now */
  send(frame: Frame): boolean;
  close(forget?: boolean): void;
  live(): boolean;
}

/** What localStorage["usher:<site key>"] holds. */
interface Saved {
  /** stands for the signed-in person whose record it is */ who?: string;
  /** moment and number of the message of which the page was told last */ told?: string;
  token?: string; seed?: string; visits?: number; seen?: number; unsent?: Unsent[];
  last?: number; mode?: string; open?: boolean; draft?: string; live?: boolean; hushed?: boolean; utm?: Record<string, string>; pages?: PageView[];
}

/** Put in by build.mjs: is this the version-pinned loader, the hash of the build, the integrity of the files it loads. */
declare const PINNED: boolean;
declare const HASH: string;
declare const PINS: Record<string, string>;

/** What the loader hands to the rules and to the panel; greet.js adds what it knows. */
interface Host {
  script: HTMLScriptElement;
  /** the site's key */
  site: string;
  /** how the chat lies in the page; left out: floating */
  mode?: string;
  /** the custom element in the page */
  frame: HTMLElement & { lost?(): void };
  root: ShadowRoot;
  launcher: HTMLButtonElement;
  /** origin of the Usher server */
  server: string;
  /** name of the record in localStorage */
  key: string;
  config: Config;
  locale: string;
  seed: string;
  /** may this browser remember the visitor? */
  granted: boolean;
  /** the record as it was when the page loaded */
  saved: Saved;
  /** given by the page with Usher.set */
  data: Record<string, Value>;
  /** calls that were not carried out yet: name, arguments */
  waiting: [string, ...any][];
  text(localised?: any): string;
  emit(name: string, detail?: object): void;
  /** a file of the chat did not come: takes `open` and `toggle` out of `waiting` and tells who has pressed */
  sorry(problem: unknown): void;
  /** what the page asks for, as `Usher(name, …)` */
  call(name: string, ...args: any[]): void;
  /** puts the element into the page where it belongs */
  place(): void;
  /** a file of the build, by its name and the integrity it must have */
  part(name: string, pin: string): Promise<any>;
  /** carries out what waits; there once greet.js is */
  attend?(): void;
  /** inline: looks again for the element of the page */
  settle?(): void;
  judge?(): void;
  greeter?: Greeter;
}
/** What greet.js knows of the page and the visit. */
interface Greeter {
  /** the playbook of the page as it is now */
  playbook?: Playbook;
  /** Global Privacy Control or Do Not Track is on: no page views */
  discreet: boolean;
  /** BCP 47, such as en-GB: the visitor's own among those of the chat's language */
  tag: string;
  page(): Page;
  views(): PageView[];
  device(): "mobile" | "tablet" | "desktop";
  tease(text: string): void;
  store: ReturnType<typeof import("./store.js").openStore>;
  /** tells the page what is to be told once */
  once: ReturnType<typeof import("./once.js").openOnce>;
  /** called after each navigation inside the document */
  moved?: () => void;
}
/** `again`: the chat goes on open, nobody has opened it */
interface Opening { focus?: boolean; self?: boolean; again?: boolean; message?: string; playbook?: string | null; by?: Element }
interface Panel {
  open(how?: Opening | string): void;
  close(): void;
  toggle(): void;
  resume(): void;
  identify(it: any): void;
  logout(): void;
  track(name: string, data?: object): void;
  reset(): void;
  consent(given: boolean): void;
}

/** What every part of the thread gets. */
interface Kit {
  /** origin of the Usher server: its addresses are relative to it */
  server: string;
  t: (key: string, values?: Record<string, any>) => string;
  /** BCP 47 tag for dates */
  tag: string;
  /** IANA name of the zone in which times are shown; the visitor can change it */
  zone: string;
  /** ms by which this computer's clock is ahead of the server's */
  skew: number;
  dom: typeof import("./dom.js");
  when: typeof import("./i18n.js").when;
  say(text: string, value?: object): void;
  /** the visitor wants to talk */
  begin(): void;
  act(action: string, text: string, more?: object): void;
  /** what the composer should expect */
  ask(input: string, placeholder?: string): void;
  slots(query: Record<string, string>): Promise<SlotsAnswer>;
  /** what has the focus is about to go away */
  press(): void;
  /** a part that came in later says that it is complete */
  drawn(): void;
}
interface SlotsAnswer { zone: string; meeting: string; days: Day[]; next_from?: string | null }
type Draw<P> = (part: P, kit: Kit) => HTMLElement;

type UsherApi = ((method: string, ...args: any[]) => any) & { q?: any; v?: string; [method: string]: any };
interface Window { Usher?: UsherApi; navigation?: EventTarget; CloseWatcher?: typeof CloseWatcher }
interface Navigator { globalPrivacyControl?: boolean }
declare class CloseWatcher extends EventTarget {
  onclose: (() => void) | null;
  destroy(): void;
}
