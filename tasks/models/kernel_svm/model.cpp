#include "kernmill/tasks/models/kernel_svm/fit.hpp"
#include "kernmill/tasks/models/kernel_svm/support_vectors.hpp"
#include "kernmill/tasks/models/model_kind.hpp"

namespace kernmill::tasks {

extern constinit const ModelKind kernel_svm_model{
    .type = "kernel_svm", .predicts_classes = true, .fit = fit_kernel_svm, .open = open_kernel_svm};

}  // namespace kernmill::tasks
