/** Building the page. Strings become text nodes or properties, never markup. */

/** Make an element with properties, attributes and children, which may be strings. */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in made) made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

/** The JSON that the page holds. */
export function pageData() {
  return JSON.parse(document.getElementById("data").textContent);
}

/** A labelled drop-down list; `change` gets the index of the chosen option. */
export function dropDown(label, options, change) {
  const list = element("select", {}, ...options.map((text) => element("option", {}, text)));
  list.addEventListener("change", () => change(list.selectedIndex));
  return element("label", { className: "field" }, element("span", {}, label), list);
}

/** A table of texts; `numeric` says from which column on cells are numbers. */
export function table(columns, rows, numeric = columns.length) {
  const cell = (tag) => (text, index) =>
    element(tag, { className: index >= numeric ? "number" : "" }, text);
  const body = rows.map((row) => element("tr", {}, ...row.map(cell("td"))));
  return element(
    "div",
    { className: "scroll" },
    element(
      "table",
      {},
      element("thead", {}, element("tr", {}, ...columns.map(cell("th")))),
      element("tbody", {}, ...body),
    ),
  );
}

/** A section of the page with a heading, to which the contents list can lead. */
export function section(id, title, ...children) {
  return element("section", { id }, element("h2", {}, title), ...children);
}

/** A note in small type. */
export function note(text) {
  return element("p", { className: "note" }, text);
}
