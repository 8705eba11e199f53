// On every page: this answer came from the box, and the worker that speaks when none comes is there.

import { noteContact } from "./contact.js";

noteContact();
// Not offered where the browser does not trust the box's certificate.
navigator.serviceWorker?.register("/service-worker.js").catch(() => {});
