/** The image on a canvas, with a pixel and its neighbours lit up. */

import { colour } from "./colours.js";

const WIDTH = 480; // CSS pixels at most; the style sheet shrinks the canvas on narrow screens
const VEIL = 0.6; // how much the rest of the image is darkened
const FAINTEST = 0.3; // opacity of the frame of the weakest neighbour

/** Canvas pixels along one pixel of the layer: whole, and sharp on this screen. */
export function cellSize(side) {
  return Math.max(1, Math.floor((WIDTH * Math.min(2, devicePixelRatio || 1)) / side));
}

/** Draw an image, and over it what belongs to a node; null: the image alone. */
export function drawStage(canvas, image, graph, node) {
  const cell = cellSize(graph.side);
  const size = cell * graph.side;
  if (canvas.width !== size) canvas.width = canvas.height = size;
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.globalAlpha = 1;
  context.drawImage(image, 0, 0, size, size);
  if (node === null) return;
  context.fillStyle = "#000";
  context.globalAlpha = VEIL;
  context.fillRect(0, 0, size, size);
  const lit = graph.neighbours(node);
  const strongest = Math.max(...lit.map(({ weight }) => weight), 1e-12);
  for (const { node: end, weight } of lit) {
    lightUp(context, image, graph, end, cell, weight / strongest);
  }
  frame(context, graph, node, cell, colour("chosen"), Math.max(1, Math.round(cell / 6)), 0, 1);
}

function lightUp(context, image, graph, node, cell, strength) {
  const [x, y] = corner(graph, node, cell);
  const scale = image.naturalWidth / graph.side;
  context.globalAlpha = strength;
  context.drawImage(image, (x / cell) * scale, (y / cell) * scale, scale, scale, x, y, cell, cell);
  const inset = cell >= 12 ? 2 : 0; // leaves room for the frame of the chosen pixel
  const width = Math.max(1, Math.round(cell / 10));
  const opacity = FAINTEST + (1 - FAINTEST) * strength;
  frame(context, graph, node, cell, colour("lit"), width, inset, opacity);
}

/** Frame a pixel, with dark edges beside the line: it must stand out from any colour. */
function frame(context, graph, node, cell, stroke, width, inset, opacity) {
  const dark = cell >= 12 ? 1 : 0;
  context.globalAlpha = opacity;
  outline(context, graph, node, cell, "#000", width + 2 * dark, Math.max(0, inset - dark));
  outline(context, graph, node, cell, stroke, width, inset);
}

function outline(context, graph, node, cell, stroke, width, inset) {
  const [x, y] = corner(graph, node, cell);
  const edge = inset + width / 2;
  const size = Math.max(0.1, cell - 2 * edge);
  context.strokeStyle = stroke;
  context.lineWidth = width;
  context.strokeRect(x + edge, y + edge, size, size);
}

function corner(graph, node, cell) {
  return [(node % graph.side) * cell, Math.floor(node / graph.side) * cell];
}

/** The node under a pointer event. */
export function nodeAt(canvas, graph, event) {
  const box = canvas.getBoundingClientRect();
  const index = (offset, size) =>
    Math.min(graph.side - 1, Math.max(0, Math.floor((offset / size) * graph.side)));
  const row = index(event.clientY - box.top, box.height);
  return row * graph.side + index(event.clientX - box.left, box.width);
}
