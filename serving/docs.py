"""The page behind /docs: shows /openapi.json without a file from another host."""

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>API</title>
<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 56rem; margin: 2rem auto; padding: 0 1rem }
section { border: 1px solid #8886; border-radius: .5rem; margin: 1rem 0; padding: .5rem 1rem }
h2 { font: 600 1rem ui-monospace, monospace; margin: .3rem 0 }
h2 b { display: inline-block; min-width: 3.5rem }
pre { overflow: auto; background: #8882; padding: .7rem; border-radius: .4rem; font-size: .85rem }
table { border-collapse: collapse; font-size: .9rem } td, th { text-align: left; vertical-align: top; padding: .15rem .8rem .15rem 0; overflow-wrap: anywhere }
</style>
<h1 id="title">API</h1>
<p>Machine-readable: <a href="openapi.json">openapi.json</a></p>
<main id="routes"></main>
<script>
const el = (tag, text) => { const made = document.createElement(tag); made.textContent = text ?? ""; return made };
fetch("openapi.json").then(r => r.json()).then(api => {
  document.getElementById("title").textContent = api.info.title;
  for (const [path, methods] of Object.entries(api.paths)) for (const [method, op] of Object.entries(methods)) {
    const box = el("section"), head = el("h2"), verb = el("b", method.toUpperCase());
    head.append(verb, " " + path); box.append(head, el("p", op.summary));
    const ref = op.requestBody?.content?.["application/json"]?.schema?.$ref;
    if (ref) {
      const schema = api.components.schemas[ref.split("/").pop()], table = el("table");
      for (const [name, field] of Object.entries(schema.properties)) {
        const row = el("tr"), kind = field.type || (field.anyOf || []).map(x => x.type).join(" or ");
        row.append(el("th", name), el("td", kind), el("td", field.description)); table.append(row);
      }
      box.append(table);
      if (schema.examples) box.append(el("pre", JSON.stringify(schema.examples[0], null, 1)));
    }
    document.getElementById("routes").append(box);
  }
});
</script>
</html>
"""
