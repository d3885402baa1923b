/* What the admin has in common with the web portal: the theme chosen there, times that stay true, copy buttons. */
(function () {
  "use strict";
  const OURS = "portreeve-theme", THEIRS = "adminTheme";
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

  /* Fields in tables and the theme's search boxes have no label of their own: they are called by the head of their column. */
  const nameFields = () => {
    for (const field of document.querySelectorAll("#content :is(select, input:not([type=hidden]), textarea)")) {
      const words = field.labels?.[0]?.textContent.replace("*", "").trim() || field.closest("td")?.dataset.label;
      if (!words) continue;
      if (!field.labels?.length && !field.getAttribute("aria-label")) field.setAttribute("aria-label", words);
      const box = field.nextElementSibling;
      if (!box?.classList.contains("select2")) continue;
      for (const part of box.querySelectorAll(".select2-selection, .select2-selection__rendered, .select2-search__field")) part.setAttribute("aria-label", words);
    }
  };
  addEventListener("load", nameFields);
  document.addEventListener("formset:added", () => requestAnimationFrame(nameFields));

  const here = document.currentScript.src;
  document.addEventListener("DOMContentLoaded", async () => {
    const [times, copies] = await Promise.all([import(new URL("times.js", here)), import(new URL("copies.js", here))]);
    copies.watchCopies();
    times.refreshTimes(document);
    setInterval(() => times.refreshTimes(document), 30000);
  });
})();
