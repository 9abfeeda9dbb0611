#pragma once
#include "kernmill/exec/attempt/attempt.hpp"

namespace kernmill::exec {

/// The name that kernmill-task knows the attempt's kind by, and spec.json for it (tasks/README.md). `config:`
/// of a train stage is replaced by the best configuration it names, the stage's own settings laid over it.
/// Throws AttemptError.
Json make_spec(const Attempt& attempt);

/// `over` laid over `base`, objects merged at any depth. An object of another `type` replaces the whole: its
/// settings mean something else.
Json laid_over(const Json& base, const Json& over);

}  // namespace kernmill::exec
