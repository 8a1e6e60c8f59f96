//! A report as a tree of elements.

use libtest_mimic::Failed;
use roxmltree::{Document, Node, ParsingOptions};

/// A report, which is both well-formed XML and HTML.
pub(crate) struct Page<'i> {
    pub(crate) document: Document<'i>,
}

/// Elements with this name below `node`.
pub(crate) fn descendants<'a, 'i>(node: &Node<'a, 'i>, tag: &'a str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.descendants().filter(move |node| node.has_tag_name(tag))
}

impl<'i> Page<'i> {
    /// Parses a report. Returns an error if it is not well-formed, or a mark is outside its plot.
    pub(crate) fn read(text: &'i str) -> Result<Self, Failed> {
        let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
        let page = Page { document: Document::parse_with_options(text, options)? };
        for plot in page.all_plots() {
            let [_, _, width, height] = numbers(plot.attribute("viewBox").ok_or("no viewBox")?)?[..] else {
                return Err("a viewBox is four numbers".into());
            };
            // Marks at the edge may extend beyond it.
            let within = |x: f64, end: f64| (-100.0..=end + 100.0).contains(&x);
            for attribute in plot.descendants().skip(1).flat_map(|node| node.attributes()) {
                let (name, value) = (attribute.name(), attribute.value());
                let inside = match name {
                    "x" | "cx" | "x1" | "x2" | "width" => within(value.parse()?, width),
                    "y" | "cy" | "y1" | "y2" | "height" => within(value.parse()?, height),
                    "r" | "stroke-width" | "font-size" => value.parse::<f64>()?.is_finite(),
                    "opacity" => (0.0..=1.0).contains(&value.parse::<f64>()?),
                    "points" => {
                        numbers(value)?.chunks(2).all(|xy| within(xy[0], width) && within(xy[1], height))
                    }
                    _ => true,
                };
                assert!(inside, "{name}={value} of {width} × {height}: {:?}", title(&plot));
            }
        }
        Ok(page)
    }

    /// All plots.
    pub(crate) fn all_plots(&self) -> Vec<Node<'_, 'i>> {
        self.document.descendants().filter(|node| node.has_tag_name("svg")).collect()
    }

    /// The plots with this title, in order.
    pub(crate) fn plots(&self, name: &str) -> Vec<Node<'_, 'i>> {
        self.all_plots().into_iter().filter(|plot| title(plot) == Some(name)).collect()
    }

    /// Number of elements with this name in each plot with this title.
    pub(crate) fn count(&self, title: &str, tag: &str) -> Vec<usize> {
        self.plots(title).iter().map(|plot| descendants(plot, tag).count()).collect()
    }
}

fn title<'a>(plot: &Node<'a, '_>) -> Option<&'a str> {
    plot.children().find(|child| child.has_tag_name("title"))?.text()
}

fn numbers(text: &str) -> Result<Vec<f64>, Failed> {
    let words = text.split([' ', ',']).filter(|word| !word.is_empty());
    Ok(words.map(str::parse).collect::<Result<_, _>>()?)
}
