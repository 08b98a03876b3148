/** The page of a report over runs. */

import { groupColour, groupDashes, colour, onColourChange } from "./colours.js";
import { chart } from "./curves.js";
import { dropDown, element, note, pageData, section, table } from "./dom.js";
import { whole } from "./format.js";
import { sampleGrids } from "./samples.js";
import { Viewer } from "./viewer.js";

const data = pageData();

function runs() {
  const columns = ["Run", "Arm", "Seed", "Operator", "Data", "Iterations", "Entries", "Notes"];
  const rows = data.runs.map((run) => [
    run.name, data.arms[run.arm].name, String(run.seed), run.operator, run.data,
    whole(run.iterations), whole(run.entries), run.notes,
  ]);
  return section("runs", "Runs", table(columns, rows));
}

function config() {
  const rows = data.config.map(([field, values]) => [field, ...values]);
  const found = table(["Field", ...data.arms.map(({ name }) => name)], rows);
  return section("config", "Config differences", rows.length ? found : note("There are none."));
}

/** The colours of the arms. */
function legend() {
  const items = data.arms.map(({ name, seeds }, arm) => {
    const swatch = element("canvas", { className: "swatch", width: 52, height: 12 });
    const paint = () => {
      const context = swatch.getContext("2d");
      context.clearRect(0, 0, 52, 12);
      context.setLineDash(groupDashes(arm).map((length) => 2 * length));
      context.strokeStyle = colour(groupColour(arm));
      context.lineWidth = 4;
      context.strokeRect(-4, 6, 60, 20);
    };
    paint();
    onColourChange(paint);
    return element("li", {}, swatch, `${name}${seeds.length > 1 ? `, ${seeds.length} seeds` : ""}`);
  });
  return element("ul", { className: "legend" }, ...items);
}

function charts(kind) {
  const chosen = data.curves.filter((curve) => curve.kind === kind);
  const drawn = chosen.map(({ name, series }) => chart(name, series));
  return element("div", { className: "charts" }, ...drawn);
}

function curves() {
  const help = "Drag to zoom in, double-click to zoom out. Of longer curves, the lowest and the " +
    `highest value of each 1/${data.buckets} of the iterations are drawn. Thin lines are seeds, ` +
    "thick ones their mean.";
  return section("curves", "Curves", note(help), legend(), charts("training"));
}

function graphs() {
  if (!data.curves.some(({ kind }) => kind === "graph")) return null;
  return section("graph", "Graph layers over training", legend(), charts("graph"));
}

function samples() {
  const { runs: of, note: text } = data.samples;
  if (!of.some(({ grids }) => grids.length)) return null;
  return section("samples", "Samples", note(text), sampleGrids(of));
}

function scores() {
  if (!data.scores.length) return null;
  const protocols = [...new Set(data.scores.map(({ protocol }) => protocol))];
  const panels = protocols.flatMap((protocol) => {
    const own = data.scores.filter((panel) => panel.protocol === protocol);
    const drawn = own.map(({ title, series }) => chart(title, series));
    const charted = element("div", { className: "charts" }, ...drawn);
    return [element("h3", {}, protocol), charted, lastScores(own)];
  });
  const help = "Each protocol has axes of its own. ± is over splits or subsets of the samples.";
  return section("scores", "Scores", note(help), ...panels);
}

/** A table of the last scores of each run, with a column for each score. */
function lastScores(panels) {
  const rows = new Map();
  panels.forEach(({ last }, column) => {
    for (const [run, iteration, value] of last) {
      const key = JSON.stringify([run, iteration]);
      if (!rows.has(key)) rows.set(key, [run, iteration, ...panels.map(() => "-")]);
      rows.get(key)[2 + column] = value;
    }
  });
  return table(["Run", "Iteration", ...panels.map(({ title }) => title)], [...rows.values()], 1);
}

function statistics() {
  if (!data.statistics.length) return null;
  const help = `Differences from ${data.statistics[0].baseline}, paired by seed: t-tests, ` +
    "Holm-corrected across the arms of each table; sign and equivalence tests are not corrected.";
  const tables = data.statistics.flatMap(({ title, protocol, step, columns, rows }) => [
    element("h3", {}, `${title}, iteration ${whole(step)}`),
    note(protocol),
    table(columns, rows, 2),
  ]);
  return section("statistics", "Paired statistics", note(help), ...tables);
}

function neighbours() {
  if (!data.viewers.length) return null;
  const place = element("div");
  const made = new Map();
  const show = (index) => {
    const viewer = data.viewers[index];
    if (!made.has(index)) {
      const missing = () => note(`No viewer: ${viewer.missing}.`);
      made.set(index, viewer.missing ? missing() : new Viewer(viewer).element);
    }
    place.replaceChildren(made.get(index));
  };
  show(0);
  const names = data.viewers.map(({ name }) => name);
  const help = "Hover over a pixel, click it or move with the arrow keys: the pixels that its " +
    "edges come from light up. One run of each arm, at its newest checkpoint.";
  return section("neighbours", "Neighbours", note(help), dropDown("Run", names, show), place);
}

function costs() {
  const columns = ["Run", "Time in the step", "Iterations/s (median)", "Peak memory"];
  const rows = data.runs.map(({ name, time, speed, memory }) => [name, time, speed, memory]);
  const help = "The time excludes compilation, scores and checkpoints. Memory is that of a " +
    "device or, on a CPU, of the process; runs of older versions did not log it.";
  return section("costs", "Time and memory", note(help), table(columns, rows, 1), charts("cost"));
}

function omitted() {
  if (!data.omitted.length) return null;
  const rows = data.omitted.map(({ name, reason }) => [name, reason]);
  return section("omitted", "Left out", table(["Folder", "Why"], rows));
}

const parts = [
  runs, config, curves, samples, scores, statistics, graphs, neighbours, costs, omitted,
];
const sections = parts.map((make) => make()).filter((made) => made !== null);
const links = sections.map((made) =>
  element("a", { href: `#${made.id}` }, made.querySelector("h2").textContent));
document.body.append(
  element(
    "main",
    {},
    element("h1", {}, document.title),
    note(`gcgan_jax ${data.version}, ${data.date}`),
    element("nav", {}, ...links),
    ...sections,
  ),
);
