// In a frame of another origin: what has opened, hidden or hijacked other chats, and what might be meant for this one.
const all = ["open", "usher:open", "setAuthCookie", '{"event":"toggleBubble"}',
  'chatwoot-widget:{"event":"setAuthCookie","data":{"widgetAuthToken":"mine"}}', 'chatwoot-widget:{"event":"toggleBubble"}',
  { isFromTypebot: true, command: "open" }, { src: "rocketchat", fn: "openWidget", args: [] }, { type: "usher:open" },
  { t: "welcome", token: "mine", conversation: "mine", state: "bot", seq: 1, messages: [] }, { usher: "open", key: "usher:acme" },
  { type: "usher", method: "reset" }, { type: "usher:identify", token: "mine" }, { fullType: "CAL::open" }, ["open"], null, 1, undefined];
for (const it of all) for (const to of [parent, top]) to.postMessage(it, "*");
for (const name of ["usher", "usher:acme"]) new BroadcastChannel(name).postMessage({ t: "open", type: "open", token: "mine" });
parent.postMessage("end", "*");
