/* The theme switch: the other of what is shown now, remembered on this machine. */
export function watchTheme() {
  const root = document.documentElement;
  const isDark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  for (const button of document.querySelectorAll("[data-theme-switch]")) {
    button.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      try { localStorage.setItem("portreeve-theme", root.dataset.theme); } catch (refused) { /* holds for this page */ }
    });
  }
}
