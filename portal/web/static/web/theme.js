/* Runs before the page is painted, so that a chosen theme never flashes. */
(function () {
  "use strict";
  const root = document.documentElement;
  root.classList.add("has-scripts");
  try {
    const chosen = localStorage.getItem("portreeve-theme");
    if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;
  } catch (refused) {
    /* Storage can be switched off; the system's own theme then holds. */
  }
})();
