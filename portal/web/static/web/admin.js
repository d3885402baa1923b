/* What the admin has in common with the web portal: the theme chosen there, times that stay true, copy buttons. */
(function () {
  "use strict";
  const OURS = "portreeve-theme", THEIRS = "_x_adminTheme";
  const read = (name) => { try { return localStorage.getItem(name); } catch (refused) { return null; } };
  const write = (name, value) => {
    try { if (value === null) localStorage.removeItem(name); else localStorage.setItem(name, value); } catch (refused) { /* then each page has its own */ }
  };
  const chosen = read(OURS);
  write(THEIRS, chosen === "light" || chosen === "dark" ? JSON.stringify(chosen) : null);
  /* What is chosen here holds there as well. */
  addEventListener("pagehide", () => {
    const theirs = (read(THEIRS) || "").replaceAll('"', "");
    write(OURS, theirs === "light" || theirs === "dark" ? theirs : null);
  });
  document.documentElement.classList.add("has-scripts");
  const here = document.currentScript.src;
  document.addEventListener("DOMContentLoaded", async () => {
    const [times, copies] = await Promise.all([import(new URL("times.js", here)), import(new URL("copies.js", here))]);
    copies.watchCopies();
    times.refreshTimes(document);
    setInterval(() => times.refreshTimes(document), 30000);
  });
})();
