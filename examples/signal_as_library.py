"""A signal from the library: measure a spread, judge what followed it, and ask what trying other rules is worth."""

from __future__ import annotations

import alphaoverlay as ao


def main() -> None:
    """Print the reading, the verdict, and the record of the choice."""
    source = ao.open_source("sample")
    levels = ao.read_levels(("RUT", "IXIC"), "price", source, ao.load_catalogue())
    pair = ao.Pair.of(ao.common_span(levels.frame, ("RUT", "IXIC")))

    reading = ao.measure_all(pair, window=756).iloc[-1]
    print(f"three-year difference {reading['difference']:+.1%}, percentile {reading['percentile_all']:.1%}")

    rule = ao.TacticalRule(window=756, enter=0.10, exit=0.50, stop=0.25)
    evidence = ao.examine_signal(pair, rule, horizon=252, resamples=200, seed=1)
    print(evidence.sentence)

    choosing = ao.vary_signal(pair, rule).choosing
    if choosing is not None and choosing.validation is not None:
        fit = choosing.validation.probability
        print(f"best variant: {choosing.best_variant}; probability of overfitting {fit:.0%}")


if __name__ == "__main__":
    main()
