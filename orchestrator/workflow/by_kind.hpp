#pragma once
#include "kernmill/workflow/workflow.hpp"

namespace kernmill {

/// A value for each kind of task; what is not named is empty.
template <typename T>
struct ByKind {
  T preprocess{}, train{}, evaluate{}, tune{}, deploy{}, command{};

  [[nodiscard]] const T& operator[](TaskKind kind) const {
    switch (kind) {
      case TaskKind::preprocess:
        return preprocess;
      case TaskKind::train:
        return train;
      case TaskKind::evaluate:
        return evaluate;
      case TaskKind::tune:
        return tune;
      case TaskKind::deploy:
        return deploy;
      case TaskKind::command:
        break;
    }
    return command;
  }
};

}  // namespace kernmill
