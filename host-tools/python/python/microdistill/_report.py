"""The report of a distillation, for terminals and notebooks."""

import html


class Report:
    """What was distilled, what it costs, and how its recipe was chosen.

    ``facts`` holds everything as plain Python objects. A notebook shows a table.
    """

    def __init__(self, facts):
        self.facts = facts

    def _rows(self):
        facts = self.facts
        yield "student", f"{'-'.join(map(str, facts['widths']))}, {facts['kind']}"
        yield "parameters", f"{facts['parameters']:,}"
        yield "multiplications", f"{facts['macs']:,} per inference"
        yield "flash", f"{facts['flash']:,} bytes"
        yield "RAM", f"{facts['ram']:,} bytes per inference"
        if facts["recipe"]:
            yield "recipe", facts["recipe"]
        for note in facts["notes"]:
            yield "note", note

    def _trials(self):
        """The ten best ways to train that were compared on held-out rows."""
        for trial in self.facts["choice"]["trials"][:10]:
            loss = trial["loss"]
            yield (
                trial["lesson"],
                _inputs(trial["inputs"]),
                f"{trial['weight_decay']:g}",
                "diverged" if loss is None else f"{loss:.4g}",
                f"{trial['score']:.4g}",
            )

    @property
    def _head(self):
        score = "accuracy" if self.facts["classes"] else "R²"
        loss = "NLL" if self.facts["classes"] else "MSE / variance"
        return "learns from", "inputs", "weight decay", f"held-out {loss}", score

    def __repr__(self):
        lines = [f"{name}: {value}" for name, value in self._rows()]
        trials = list(self._trials())
        if trials:
            table = [self._head, *trials]
            widths = [max(map(len, column)) for column in zip(*table)]
            lines.append("")
            lines += ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in table]
        return "\n".join(lines)

    def _repr_html_(self):
        def row(cells, tag="td"):
            return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"

        text = "<table>" + "".join(map(row, self._rows())) + "</table>"
        trials = list(self._trials())
        if trials:
            text += "<table><thead>" + row(self._head, "th") + "</thead><tbody>" + "".join(map(row, trials)) + "</tbody></table>"
        return text


def _inputs(inputs):
    """The inputs of a student as the command line names them."""
    return f"pieces:{inputs['pieces']}" if isinstance(inputs, dict) else inputs
