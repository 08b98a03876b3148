/** The edges of one layer, for one image, under one graph rule. */

const KINDS = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array };

/** Decode little-endian whole numbers of some bytes each. */
function decode(base64, bytes) {
  const raw = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  return new KINDS[bytes](raw.buffer);
}

/** Read a layer of the page's data; the graphs of its images share its arrays. */
export function readLayer(layer) {
  const { name, side, k, largest } = layer;
  const neighbours = decode(layer.neighbours, layer.bytes);
  const weights = layer.weights === null ? null : decode(layer.weights, 2);
  return { name, side, k, largest, neighbours, weights };
}

/** The graph of an image: k edges from each of side * side nodes. */
export class Graph {
  constructor(layer, image) {
    const edges = layer.side * layer.side * layer.k;
    const shared = layer.neighbours.length === edges; // by all images
    this.side = layer.side;
    this.k = layer.k;
    this.unit = layer.largest / (layer.weights ? 65535 : 1);
    const own = (array) => array.subarray(image * edges, (image + 1) * edges);
    this.ends = shared ? layer.neighbours : own(layer.neighbours);
    this.weights = layer.weights && own(layer.weights);
    this.weighted = this.weights !== null;
    this.lengths = this.edgeLengths();
    this.inDegrees = this.countEnds();
  }

  /** The distance of two nodes in pixels of the layer. */
  distance(i, j) {
    const rows = Math.floor(i / this.side) - Math.floor(j / this.side);
    return Math.hypot(rows, (i % this.side) - (j % this.side));
  }

  /** The distinct neighbours of a node, nearest first: {node, count, length, weight}. */
  neighbours(node) {
    const found = new Map();
    for (let edge = node * this.k; edge < (node + 1) * this.k; edge++) {
      const end = this.ends[edge];
      const weight = this.unit * (this.weights ? this.weights[edge] : 1);
      const earlier = found.get(end);
      if (earlier) {
        earlier.count += 1;
        earlier.weight += weight;
      } else found.set(end, { node: end, count: 1, length: this.distance(node, end), weight });
    }
    return [...found.values()];
  }

  /** The lengths of all edges. */
  edgeLengths() {
    return Array.from(this.ends, (end, edge) => this.distance(Math.floor(edge / this.k), end));
  }

  /** The number of edges that end at each node. */
  countEnds() {
    const degrees = new Uint32Array(this.side * this.side);
    for (const end of this.ends) degrees[end] += 1;
    return degrees;
  }
}
