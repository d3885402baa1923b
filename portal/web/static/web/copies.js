/* Copy buttons: <button class="copy" data-copy="text"> or data-copy-from="id". */
export function say(text) {
  let place = document.querySelector(".toasts");
  if (!place) {
    place = document.createElement("div");
    place.className = "toasts";
    place.setAttribute("role", "status");
    document.body.append(place);
  }
  const toast = document.createElement("div");
  toast.className = "toast";
  toast.textContent = text;
  place.append(toast);
  setTimeout(() => toast.remove(), 2500);
}

async function put(text) {
  if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
  /* A portal reached by plain HTTP has no clipboard API; the old way still works. */
  const field = document.createElement("textarea");
  field.value = text;
  field.setAttribute("readonly", "");
  field.className = "sr";
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  if (!done) throw new Error("refused");
}

export function watchCopies() {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest(".copy");
    if (!button) return;
    const from = button.dataset.copyFrom && document.getElementById(button.dataset.copyFrom);
    try {
      await put(from ? from.textContent.trim() : button.dataset.copy);
      button.classList.add("is-done");
      setTimeout(() => button.classList.remove("is-done"), 1500);
      say("Copied");
    } catch (refused) {
      say("The browser refused to copy. Select the text and copy it by hand.");
    }
  });
}
