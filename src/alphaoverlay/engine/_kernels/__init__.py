"""The loop over sessions, in arithmetic that runs the same interpreted and compiled.

Only `+ - * /`, comparisons, `math.sqrt` and explicit loops: no library reductions, so that both forms agree bit for
bit. These files import math, numpy and each other only; `_jit` executes each in a namespace of its own and compiles
every function. What goes in is described in `plan`.

There are three loops. `loop.run_path` carries one portfolio with everything that can happen to it. `lanes.run_lanes`
carries many side by side, with rules and proportional costs, its innermost loops over them so that the compiler can do
several at once. `paths.walk_path` carries one along a simulated path, with calendar trades and proportional costs. What
the last two do to a portfolio is what `run_path` would do, bit for bit.
"""
