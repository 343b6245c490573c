"use strict";
(() => {
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  // Paper is white whatever the screen is, and print styles are not computed yet when printing begins.
  const onPaper = { ink: "#000", soft: "#444", line: "#ccc", paper: "#fff" };
  const onScreen = () => {
    const style = getComputedStyle(document.documentElement);
    const of = (name) => style.getPropertyValue(name).trim();
    return { ink: of("--ink"), soft: of("--soft"), line: of("--line"), paper: of("--paper") };
  };
  const themed = (c) => {
    const axis = (name) => ({
      [name + ".gridcolor"]: c.line, [name + ".zerolinecolor"]: c.soft,
      [name + ".linecolor"]: c.line, [name + ".tickcolor"]: c.line,
    });
    return Object.assign(
      { "font.color": c.ink, "hoverlabel.bgcolor": c.paper, "hoverlabel.font.color": c.ink },
      axis("xaxis"), axis("yaxis"));
  };
  const font = { family: getComputedStyle(document.body).fontFamily, size: 13 };
  const config = { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["lasso2d", "select2d"] };
  const places = figures.map((figure, k) => {
    const place = document.getElementById("figure-" + k);
    const layout = Object.assign({}, figure.layout, {
      font, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", autosize: true,
    });
    Plotly.newPlot(place, figure.data, layout, config);
    return place;
  });
  const paint = (c) => places.forEach((place) => Plotly.relayout(place, themed(c)));
  paint(onScreen());
  dark.addEventListener("change", () => paint(onScreen()));
  window.addEventListener("beforeprint", () => paint(onPaper));
  window.addEventListener("afterprint", () => paint(onScreen()));
  document.documentElement.dataset.ready = "yes";
})();
