// What HTML cannot do by itself: Enter sends a reply (Shift+Enter makes a line), one open menu closes the other, code is copied.
document.addEventListener("keydown", (event) => {
  const box = event.target;
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing && box instanceof HTMLTextAreaElement && box.dataset.enter === "sends") {
    event.preventDefault();
    if (box.value.trim()) box.form.requestSubmit();
  }
  if (event.key === "Escape") closeMenus(null);
});
document.addEventListener("click", (event) => closeMenus(event.target));

/** @param {EventTarget | null} target */
function closeMenus(target) {
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    if (!(target instanceof Node && menu.contains(target))) menu.removeAttribute("open");
  }
}

document.addEventListener("click", async ({ target }) => {
  const button = target instanceof Element && target.closest("button[data-copy]");
  if (!(button instanceof HTMLElement)) return;
  const text = document.getElementById(button.dataset.copy ?? "");
  if (!text) return;
  getSelection()?.selectAllChildren(text); // where copying is forbidden, Ctrl+C is left
  await navigator.clipboard?.writeText(text.textContent ?? "");
  button.dataset.done = "";
  setTimeout(() => delete button.dataset.done, 2000);
});
