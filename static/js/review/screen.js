// The review screen: each behaviour is one module that finds what it needs by data attributes.

import "./ahead.js";
import "./choices.js";
import "./columns.js";
import "./context.js";
import "./correction_acts.js";
import "./correction_diff.js";
import "./draft.js";
import "./heartbeat.js";
import "./keys.js";
import "./offline.js";
import "./outbox_list.js";
import "./overlaps.js";
import "./sheet.js";
import "./spans.js";
import "./submit.js";
import "./take_up.js";
import "./together.js";
import "./undo.js";
import "./view.js";
import "./whole_text.js";
