/** The neighbour viewer: an image, a pixel of a layer, and the pixels that its edges come from. */

import { onColourChange } from "./colours.js";
import { dropDown, element, table } from "./dom.js";
import { short, whole } from "./format.js";
import { Graph, readLayer } from "./graph.js";
import { drawHistogram } from "./histogram.js";
import { drawStage, nodeAt } from "./stage.js";

const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
let viewers = 0; // on this page: names of their radio buttons must differ

/** A viewer of one generator, as an element. */
export class Viewer {
  constructor(data) {
    this.data = data;
    this.name = `viewer-${viewers++}`;
    this.layers = data.rules.map((rule) => rule.layers.map(readLayer));
    this.graphs = new Map();
    this.state = { image: 0, layer: 0, rule: 0, hovered: null };
    const side = this.layers[0][0].side;
    const start = Math.floor(0.3 * side); // in the middle, images of four parts have nothing
    this.state.pinned = start * side + start;
    const picture = (src) => element("img", { src, alt: "" });
    this.images = data.rules.map((rule) => rule.images.map(picture));
    for (const image of this.images.flat()) image.addEventListener("load", () => this.draw());
    this.build();
    onColourChange(() => this.draw());
  }

  build() {
    this.stage = element("canvas", { className: "stage", tabIndex: 0, role: "img" });
    this.summary = element("p", { className: "summary", "aria-live": "polite" });
    this.neighbours = element("div", { className: "neighbours" });
    this.lengths = element("canvas", { className: "histogram" });
    this.degrees = element("canvas", { className: "histogram" });
    this.explanation = element("p", { className: "note" });
    this.element = element(
      "div",
      { className: "viewer" },
      element("div", { className: "controls" }, ...this.controls()),
      element(
        "div",
        { className: "columns" },
        element("div", {}, this.stage, this.explanation),
        element("div", {}, this.summary, this.neighbours, ...this.figures()),
      ),
    );
    this.listen();
  }

  figures() {
    const caption = (text) => element("figcaption", {}, `${text}; marked: this pixel’s`);
    const figure = (canvas, text) => element("figure", {}, canvas, caption(text));
    return [
      figure(this.lengths, "Lengths of all edges, in pixels of the layer (log counts)"),
      figure(this.degrees, "In-degrees of all pixels (log counts)"),
    ];
  }

  controls() {
    const { latents, rules, graph } = this.data;
    this.thumbnails = latents.map((number) =>
      element("img", { className: "thumbnail", alt: `image ${number}` }));
    const names = rules.map(({ name }, index) => (index ? name : `${name}: ${graph}`));
    const texts = names.map((name) => element("span", {}, name));
    const made = [
      this.choices("image", "Image", this.thumbnails, latents.map((number) => `latent ${number}`)),
      this.choices("rule", "Graph", texts, rules.map(({ explanation }) => explanation)),
    ];
    if (this.layers[0].length > 1) {
      const labels = this.layers[0].map(({ name, side }) => `${name}, ${side}×${side}`);
      made.push(dropDown("Layer", labels, (index) => this.choose("layer", index)));
    }
    return made;
  }

  /** Radio buttons for a field of the state, with an element each to show. */
  choices(field, label, contents, titles) {
    const buttons = contents.map((content, index) => {
      const name = `${this.name}-${field}`;
      const input = element("input", { type: "radio", name, checked: index === 0 });
      input.addEventListener("change", () => this.choose(field, index));
      return element("label", { title: titles[index] }, input, content);
    });
    return element("fieldset", {}, element("legend", {}, label), ...buttons);
  }

  listen() {
    const { stage } = this;
    const under = (event) => nodeAt(stage, this.graph(), event);
    stage.addEventListener("pointermove", (event) => {
      if (event.pointerType !== "touch") this.choose("hovered", under(event));
    });
    stage.addEventListener("pointerleave", () => this.choose("hovered", null));
    stage.addEventListener("click", (event) => this.choose("pinned", under(event)));
    stage.addEventListener("keydown", (event) => {
      if (!(event.key in STEPS)) return;
      event.preventDefault();
      this.move(...STEPS[event.key]);
    });
  }

  /** Move the pixel by rows and columns, as far as the image goes. */
  move(rows, columns) {
    const { side } = this.graph();
    const { pinned } = this.state;
    const clip = (value) => Math.min(side - 1, Math.max(0, value));
    this.choose("hovered", null);
    const row = clip(Math.floor(pinned / side) + rows);
    this.choose("pinned", row * side + clip((pinned % side) + columns));
  }

  /** Change a field of the state; another layer keeps the place of the pixel in the image. */
  choose(field, value) {
    const { state } = this;
    if (state[field] === value) return;
    const before = this.graph().side;
    state[field] = value;
    const { side } = this.graph();
    if (side !== before) {
      const scaled = (index) => Math.floor((index * side) / before);
      const [row, column] = [Math.floor(state.pinned / before), state.pinned % before];
      state.pinned = scaled(row) * side + scaled(column);
      state.hovered = null;
    }
    this.draw();
  }

  graph() {
    const { rule, layer, image } = this.state;
    const key = `${rule} ${layer} ${image}`;
    if (!this.graphs.has(key)) this.graphs.set(key, new Graph(this.layers[rule][layer], image));
    return this.graphs.get(key);
  }

  draw() {
    const { rule, image, hovered, pinned } = this.state;
    const graph = this.graph();
    const node = hovered ?? pinned;
    const shown = this.images[rule][image];
    this.thumbnails.forEach((thumbnail, index) => {
      thumbnail.src = this.data.rules[rule].images[index];
    });
    if (shown.complete) drawStage(this.stage, shown, graph, node);
    this.describe(graph, node);
  }

  describe(graph, node) {
    const { side } = graph;
    const place = (index) => `${Math.floor(index / side)}, ${index % side}`;
    const found = graph.neighbours(node);
    const lengths = found.flatMap(({ length, count }) => Array(count).fill(length));
    const degrees = graph.inDegrees;
    const mean = lengths.reduce((sum, length) => sum + length, 0) / lengths.length;
    this.summary.textContent =
      `Pixel ${place(node)}: ${whole(graph.k)} edges, mean length ${short(mean)}, ` +
      `in-degree ${whole(degrees[node])}`;
    this.stage.setAttribute("aria-label", `Generated image. ${this.summary.textContent}`);
    this.explanation.textContent =
      `${this.data.rules[this.state.rule].explanation}. ` +
      (graph.weighted ? "Brightness: weight γ·k·w of the edge." : "All edges count alike.");
    const columns = ["Neighbour (row, column)", "Edges", "Length", "Weight"];
    const rows = found.map(({ node: end, count, length, weight }) =>
      [place(end), whole(count), short(length), short(weight)]);
    this.neighbours.replaceChildren(table(columns, rows, 1));
    drawHistogram(this.lengths, graph.lengths, lengths, Math.max(1, side / 32));
    drawHistogram(this.degrees, degrees, [degrees[node]], 1);
  }
}
