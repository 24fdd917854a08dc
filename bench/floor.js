// The floor: the least that a chat widget can be, for comparison. Draws a round button in a shadow root and does nothing else.
(() => {
  const box = document.createElement("bench-floor");
  const button = document.createElement("button");
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`:host { all: initial }
    button { position: fixed; right: 20px; bottom: 20px; width: 60px; height: 60px; border: 0; border-radius: 50%;
      background: #175cd3; cursor: pointer; z-index: 2147483000; box-shadow: 0 4px 20px #0005 }
    button::before { content: ""; position: absolute; inset: 15px; background: #fff; border-radius: 50% 50% 50% 6px }
    button:focus-visible { outline: 3px solid #175cd3; outline-offset: 3px }
    @media print { button { display: none } }`);
  const root = box.attachShadow({ mode: "open" });
  root.adoptedStyleSheets = [sheet];
  button.ariaLabel = document.currentScript.dataset.label ?? "Chat";
  button.ariaExpanded = "false";
  root.append(button);
  document.body.append(box);
})();
