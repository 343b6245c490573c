"""Design an overlay, backtest it under several calendars, and print how far its exposures ran."""

import alphaoverlay as ao


def main() -> None:
    """Print one line a calendar."""
    source = ao.open_source("sample")
    wanted = {"base": {"SP500": 1.0}, "overlay": {"RUSSELL2000": 0.3, "NASDAQ100": -0.3}}
    funds = {"allow": ["SPY", "UPRO", "TNA", "SQQQ"]}
    print("calendar      CAGR  active  least and most small-cap exposure")
    for calendar in ("never", "annual", "quarterly", "monthly"):
        study = ao.study_from({**wanted, "funds": funds, "rebalance": {"calendar": calendar}}, "example")
        result = ao.run_study(study, source)
        cagr, active = result.metrics["cagr"], result.active["cagr"]
        assert cagr is not None
        assert active is not None
        small = result.portfolio.exposures["RUSSELL2000"]
        print(f"{calendar:<10} {cagr:7.2%} {active:+7.2%}  {small.min():+.2f} {small.max():+.2f}")


if __name__ == "__main__":
    main()
