/* Relative times that stay true while a page is open; the exact time, in the reader's zone, on hover. */
const STEPS = [[60, 1, "s"], [3600, 60, "min"], [86400, 3600, "h"], [86400 * 60, 86400, "d"], [86400 * 730, 86400 * 30.44, "months"], [Infinity, 86400 * 365.25, "years"]];

export function relative(then, now) {
  const seconds = Math.round((now - then) / 1000);
  const size = Math.abs(seconds);
  if (size < 5) return "just now";
  const [, unit, word] = STEPS.find(([limit]) => size < limit);
  const text = `${Math.floor(size / unit)} ${word}`;
  return seconds >= 0 ? `${text} ago` : `in ${text}`;
}

export function refreshTimes(scope) {
  const now = Date.now();
  for (const mark of scope.querySelectorAll("time[datetime], [data-time]")) {
    const then = Date.parse(mark.getAttribute("datetime") || mark.dataset.time);
    if (Number.isNaN(then) || mark.dataset.plain !== undefined) continue;
    const before = mark.dataset.before || "";
    mark.textContent = before + relative(then, now);
    if (mark.tagName === "TIME") mark.title = new Date(then).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "long" });
  }
}
