// Remembers every function and handler of the page; `taken()` names those that are others by now, or new.
(() => {
  const of = (name, it, more = []) => Object.fromEntries([...Object.getOwnPropertyNames(it), ...more]
    .filter((key) => { try { return typeof it[key] === "function" || /^on/.test(key) } catch { return false } })
    .map((key) => [name + "." + key, it[key]]));
  const all = () => ({
    ...of("window", window), ...of("document", document, ["onclick", "onkeydown"]), ...of("history", history),
    ...of("History", History.prototype), ...of("console", console), ...of("target", EventTarget.prototype),
    ...of("Node", Node.prototype), ...of("Element", Element.prototype), ...of("xhr", XMLHttpRequest.prototype),
    ...of("socket", WebSocket.prototype), ...of("body", document.body ?? {}, ["onclick"]), ...of("storage", Storage.prototype),
    ...of("navigation", navigation, ["onnavigate", "oncurrententrychange"]), ...of("JSON", JSON), ...of("Array", Array.prototype),
  });
  const before = all();
  window.taken = () => {
    const after = all();
    return Object.keys({ ...before, ...after }).filter((key) => before[key] !== after[key] && !/^body\./.test(key));
  };
})()
