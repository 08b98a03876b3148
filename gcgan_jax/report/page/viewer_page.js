/** The page of the neighbour viewer alone. */

import { element, note, pageData } from "./dom.js";
import { Viewer } from "./viewer.js";

const HELP =
  "Hover over a pixel, click it or move with the arrow keys: the pixels that its edges come from " +
  "light up, framed in orange. Another graph replaces that of all graph layers, without training.";

const data = pageData();
document.body.append(
  element(
    "main",
    {},
    element("h1", {}, document.title),
    note(HELP),
    ...data.viewers.map((viewer) => new Viewer(viewer).element),
  ),
);
