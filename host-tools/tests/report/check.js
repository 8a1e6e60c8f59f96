// Runs in the report: checks how a browser rendered it, and writes the findings as JSON into the dumped page.
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
      return box.left < around.left - 2 || box.right > around.right + 2 || box.top < around.top - 2;
    });
  });
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
  const pre = document.createElement("pre");
  pre.id = "check";
  pre.textContent = JSON.stringify({
    plots: plots.length,
    hidden: plots.filter((plot) => !shown(plot)).map((plot) => plot.querySelector("title").textContent),
    cut: cut.map((text) => text.textContent),
    contrast: Math.min(...words, ...written),
    dark: page < 0.2,
    overflow: document.documentElement.scrollWidth - innerWidth,
  });
  document.body.append(pre);
});
