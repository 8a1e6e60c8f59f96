// Runs in the report: checks how a browser rendered it, and sends the findings as JSON to the page around it.
addEventListener("load", () => {
  const plots = [...document.querySelectorAll("svg.plot")];
  const nonzero = (box) => box.width > 0 && box.height > 0;
  const marks = (plot) => [...plot.children].filter((mark) => !["title", "desc"].includes(mark.tagName));
  const shown = (plot) =>
    nonzero(plot.getBoundingClientRect()) && marks(plot).some((mark) => nonzero(mark.getBoundingClientRect()));
  // Text that extends beyond its plot by more than two pixels.
  const cut = plots.flatMap((plot) => {
    const around = plot.getBoundingClientRect();
    const texts = [...plot.querySelectorAll("text")];
    return texts.filter((text) => {
      const box = text.getBoundingClientRect();
      return box.left < around.left - 2 || box.right > around.right + 2 || box.top < around.top - 2 ||
        box.bottom > around.bottom + 2;
    });
  });
  // Text that another text of the same plot covers by more than two pixels.
  const covers = (a, b) =>
    Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2;
  const covered = plots.flatMap((plot) => {
    const texts = [...plot.querySelectorAll("text")].map((text) => [text.textContent, text.getBoundingClientRect()]);
    return texts.flatMap(([a, one], i) =>
      texts.slice(i + 1).filter(([, other]) => covers(one, other)).map(([b]) => `${a.trim()} | ${b.trim()}`));
  });
  // Elements whose contents are wider than they are, which are cut or scroll. Folded parts are opened.
  document.querySelectorAll("details").forEach((details) => { details.open = true; });
  const wider = [...document.body.querySelectorAll("*:not(svg *)")]
    .filter((element) => element.clientWidth > 0 && element.scrollWidth > element.clientWidth + 1)
    .map((element) => `${element.tagName}.${element.className}: ${element.textContent.trim().slice(0, 60)}`);
  const shortened = [...document.body.querySelectorAll("*")]
    .filter((element) => getComputedStyle(element).textOverflow === "ellipsis").map((element) => element.tagName);
  // Contrast (WCAG 2.2) between text and its background.
  const luminance = (color) => {
    const linear = color.match(/[\d.]+/g).slice(0, 3).map((part) => part / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const page = luminance(getComputedStyle(document.documentElement).backgroundColor);
  // The nearest enclosing element that has a background.
  const behind = (element) => {
    const color = getComputedStyle(element).backgroundColor;
    if (!element.parentElement) return luminance(color);
    return color === "rgba(0, 0, 0, 0)" ? behind(element.parentElement) : luminance(color);
  };
  const contrast = (element, property) => {
    const [low, high] = [behind(element), luminance(getComputedStyle(element)[property])].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const words = [...document.querySelectorAll("svg.plot text")].map((text) => contrast(text, "fill"));
  const written = [...document.querySelectorAll("h2, p, li, td, th, a, summary, caption, figcaption")]
    .map((text) => contrast(text, "color"));
  parent.postMessage(JSON.stringify({
    width: innerWidth,
    plots: plots.length,
    hidden: plots.filter((plot) => !shown(plot)).map((plot) => plot.querySelector("title").textContent),
    cut: cut.map((text) => text.textContent),
    covered,
    wider,
    shortened,
    contrast: Math.min(...words, ...written),
    dark: page < 0.2,
    overflow: document.documentElement.scrollWidth - innerWidth,
  }), "*");
});
