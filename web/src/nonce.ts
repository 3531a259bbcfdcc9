/** Before all else: libraries that write styles into the page read the nonce from here. */

import { NONCE } from "./lib/page";

(globalThis as { __webpack_nonce__?: string }).__webpack_nonce__ = NONCE;
