/** Sample grids of several runs, with a slider over iterations. */

import { element } from "./dom.js";
import { whole } from "./format.js";

/** The grids {run, grids: [{step, png}], note} side by side. */
export function sampleGrids(samples) {
  const steps = [...new Set(samples.flatMap(({ grids }) => grids.map(({ step }) => step)))];
  steps.sort((a, b) => a - b);
  const figures = samples.filter(({ grids }) => grids.length).map(figureOf);
  const shown = element("output", { className: "number" });
  const slider = element("input", {
    type: "range", min: 0, max: steps.length - 1, step: 1, value: steps.length - 1,
    "aria-label": "Iteration of the samples",
  });
  const show = () => {
    const step = steps[Number(slider.value)];
    shown.textContent = `iteration ${whole(step)}`;
    slider.setAttribute("aria-valuetext", shown.textContent);
    figures.forEach((figure) => figure.show(step));
  };
  slider.addEventListener("input", show);
  show();
  const grids = element("div", { className: "grids" }, ...figures.map((figure) => figure.element));
  return element("div", {}, element("div", { className: "slider" }, slider, shown), grids);
}

function figureOf({ run, grids, note }) {
  const image = element("img", { alt: `Samples of ${run}` });
  const caption = element("figcaption");
  return {
    element: element("figure", {}, image, caption),
    /** Show the last grid up to a step, or the first. */
    show(step) {
      const grid = grids.findLast((candidate) => candidate.step <= step) ?? grids[0];
      if (image.src !== grid.png) image.src = grid.png;
      const text = `, iteration ${whole(grid.step)}${note ? ` (${note})` : ""}`;
      caption.replaceChildren(element("strong", {}, run), text);
    },
  };
}
