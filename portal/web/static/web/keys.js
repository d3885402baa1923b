/* Keyboard: "/" search, "g" and a letter to go somewhere, "?" for the list of keys. */
const isTyping = (target) => target.closest("input, textarea, select, [contenteditable]");

export function watchKeys() {
  const help = document.getElementById("keys");
  let goingSince = 0;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (event.key === "/") {
      const box = document.getElementById("find");
      if (box) { event.preventDefault(); box.focus(); box.select(); }
    } else if (event.key === "?") {
      if (help && !help.open) help.showModal();
    } else if (event.key === "g") {
      goingSince = event.timeStamp;
      return;
    } else if (event.timeStamp - goingSince < 1500) {
      const link = document.querySelector(`[data-go="${CSS.escape(event.key)}"]`);
      if (link) { event.preventDefault(); location.assign(link.href); }
    }
    goingSince = 0;
  });
  for (const opener of document.querySelectorAll("[data-open-keys]")) {
    opener.addEventListener("click", () => help && help.showModal());
  }
  /* Menus close when one clicks elsewhere or presses Escape. */
  const closeMenus = (except) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(except)) menu.open = false;
  };
  document.addEventListener("click", (event) => closeMenus(event.target));
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") closeMenus(null); });
}
