/* What makes the pages quick to use. Every page works without it. */
import { refreshTimes } from "./times.js";
import { watchCopies } from "./copies.js";
import { watchKeys } from "./keys.js";
import { watchForms } from "./forms.js";
import { watchFragments } from "./fragments.js";
import { watchTheme } from "./themes.js";

watchTheme();
watchCopies();
watchKeys();
watchForms();
watchFragments();
refreshTimes(document);
setInterval(() => refreshTimes(document), 30000);
