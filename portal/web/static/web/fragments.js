/* Live parts: <div data-fragment="address" data-every="seconds"> is replaced by what the address answers. */
import { refreshTimes } from "./times.js";

async function refresh(place) {
  if (document.hidden || place.contains(document.activeElement)) return;
  try {
    const answer = await fetch(place.dataset.fragment, { headers: { "X-Fragment": "yes" }, credentials: "same-origin" });
    if (!answer.ok || answer.redirected) return;
    place.innerHTML = await answer.text();
    place.removeAttribute("data-stale");
    refreshTimes(place);
  } catch (unreachable) {
    place.setAttribute("data-stale", "yes");
  }
}

export function watchFragments() {
  for (const place of document.querySelectorAll("[data-fragment]")) {
    setInterval(() => refresh(place), 1000 * Math.max(5, Number(place.dataset.every) || 30));
  }
}
