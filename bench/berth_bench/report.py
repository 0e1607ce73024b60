"""What a run found: the tables, the targets, the JSON."""

import dataclasses
import os
import platform


@dataclasses.dataclass
class Target:
    """Something that must hold, and whether it does."""

    text: str
    value: float
    limit: float
    unit: str

    @property
    def met(self):
        return self.value <= self.limit

    def line(self):
        return (f"{'met   ' if self.met else 'MISSED'}  {self.text}: {self.value:.2f}{self.unit} "
                f"(at most {self.limit:.2f}{self.unit})")


class Report:
    """Collects figures and targets and prints them as they come."""

    def __init__(self):
        self.figures = {}
        self.targets = []

    def table(self, section, figures, reference):
        """Medians of a section; `reference` names the rows that the others are given as multiples of."""
        bases = [figures[name] for name in reference if name in figures]
        print(f"{'':44}{'median':>9}{'best':>9}{'mean':>9}{'runs':>6}" +
              "".join(f"{'x ' + base.name.split()[0]:>10}" for base in bases))
        for row in sorted(figures.values(), key=lambda row: row.median):
            print(f"{row.name:44}{row.median:9.2f}{row.best:9.2f}{row.mean:9.2f}{len(row.times):6}" +
                  "".join(f"{row.median / base.median:10.2f}" for base in bases), flush=True)
        self.figures.setdefault(section, {}).update({
            row.name: {"median_ms": round(row.median, 3), "best_ms": round(row.best, 3), "mean_ms": round(row.mean, 3),
                       "runs": len(row.times),
                       **{f"times_{base.name.split()[0]}": round(row.median / base.median, 3) for base in bases}}
            for row in figures.values()})

    def value(self, section, name, value, unit):
        """A figure that is not a time of many."""
        print(f"{name:44}{value:9.2f} {unit}", flush=True)
        self.figures.setdefault(section, {})[name] = {"value": round(value, 3), "unit": unit}

    def target(self, text, value, limit, unit=""):
        target = Target(text, value, limit, unit)
        self.targets.append(target)
        print(target.line(), flush=True)

    def print_targets(self):
        print("\n== targets")
        for target in self.targets:
            print(target.line())

    def all_met(self):
        return all(target.met for target in self.targets)

    def as_json(self):
        return {
            "machine": {"kernel": platform.release(), "cpus": os.cpu_count()},
            "figures": self.figures,
            "targets": [{**dataclasses.asdict(target), "met": target.met} for target in self.targets],
        }
