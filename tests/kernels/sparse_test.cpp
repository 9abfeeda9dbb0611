#include "kernmill/kernels/sparse.hpp"

#include "device_test.hpp"
#include "kernmill/reference/sparse.hpp"

namespace kernmill::testing {
namespace {

/// One entry in `every`, and no entries in every seventh row.
reference::SparseRows random_rows(std::size_t rows, std::size_t columns, std::uint64_t every) {
  reference::SparseRows out;
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; i % 7 != 6 && j < columns; ++j) {
      if (kernels::random_bits(3, i, j) % every != 0) continue;
      out.columns.push_back(static_cast<std::uint32_t>(j));
      out.values.push_back(2.0 * kernels::uniform(5, i, j) - 1.0);
    }
    out.begins.push_back(out.columns.size());
  }
  return out;
}

template <class Space, class T>
typename kernels::SparseRows<Space>::template Array<T> array_of(const std::vector<T>& values) {
  const Kokkos::View<T*, Kokkos::LayoutRight, typename Space::memory_space> out("array", values.size());
  Kokkos::deep_copy(
      out, typename kernels::SparseRows<kernels::Host>::template Array<T>(values.data(), values.size()));
  return out;
}

template <class Space>
kernels::SparseRows<Space> rows_on_device(const reference::SparseRows& rows) {
  return {array_of<Space>(rows.begins), array_of<Space>(rows.columns), array_of<Space>(rows.values)};
}

template <class Space>
class Sparse : public ::testing::Test {};
TYPED_TEST_SUITE(Sparse, Devices);

TYPED_TEST(Sparse, TheProductAgreesWithTheReferenceForEveryShape) {
  struct Shape {
    std::size_t rows, columns, outputs;
  };
  for (const auto& [rows, columns, outputs] :
       {Shape{0, 5, 2}, Shape{1, 1, 1}, Shape{50, 300, 2}, Shape{33, 20, 17}}) {
    const auto sparse = random_rows(rows, columns, 3);
    const auto weights = random_matrix(columns, outputs, 1);
    const auto z = to_device<TypeParam>(random_matrix(rows, outputs, 2));  // overwritten
    kernels::multiply<TypeParam>(TypeParam(), rows_on_device<TypeParam>(sparse),
                                 to_device<TypeParam>(weights), z);
    const reference::Matrix none(rows, outputs);
    expect_near(to_host(z),
                reference::gemm(1.0, reference::dense(sparse, columns), weights, 0.0, none).values);
  }
}

TYPED_TEST(Sparse, TheTransposedProductIsAddedWithTheSameBitsForAnyNumberOfSlabs) {
  const std::size_t rows = 60, columns = 200, outputs = 11;
  const auto sparse = random_rows(rows, columns, 5);
  const auto delta = random_matrix(rows, outputs, 1), before = random_matrix(columns, outputs, 2);
  const auto expected =
      reference::gemm(1.0, reference::transposed(reference::dense(sparse, columns)), delta, 1.0, before);
  std::vector<double> bits;
  for (const std::size_t slabs : {0, 1, 2, 7, 200, 1000}) {
    const auto out = to_device<TypeParam>(before);
    kernels::add_transposed_product<TypeParam>(TypeParam(), rows_on_device<TypeParam>(sparse),
                                               to_device<TypeParam>(delta), out, slabs);
    expect_near(to_host(out), expected.values);
    if (bits.empty()) bits = to_host(out);
    EXPECT_EQ(to_host(out), bits) << slabs << " slabs";
  }
}

TYPED_TEST(Sparse, ProductsWithSomeOfTheColumnsAreThoseWithTheirPartOfTheRows) {
  const std::size_t rows = 40, columns = 30, first = 9, count = 12;
  const auto sparse = random_rows(rows, columns, 3);
  reference::Matrix part(rows, count);
  const auto dense = reference::dense(sparse, columns);
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t j = 0; j < count; ++j) part(i, j) = dense(i, first + j);
  const auto weights = random_matrix(count, 3, 1), delta = random_matrix(rows, 3, 2),
             before = random_matrix(count, 3, 4);
  const auto z = kernels::make_matrix<TypeParam>(rows, 3), out = to_device<TypeParam>(before);
  const auto on_device = rows_on_device<TypeParam>(sparse);
  kernels::multiply<TypeParam>(TypeParam(), on_device, to_device<TypeParam>(weights), z, first);
  expect_near(to_host(z), reference::gemm(1.0, part, weights, 0.0, reference::Matrix(rows, 3)).values);
  kernels::add_transposed_product<TypeParam>(TypeParam(), on_device, to_device<TypeParam>(delta), out, 5,
                                             false, first);
  expect_near(to_host(out), reference::gemm(1.0, reference::transposed(part), delta, 1.0, before).values);
}

TYPED_TEST(Sparse, APartOfTheRowsIsThoseRows) {
  const auto sparse = random_rows(40, 30, 3);
  const auto weights = random_matrix(30, 3, 1);
  const auto z = kernels::make_matrix<TypeParam>(11, 3);
  const auto whole = rows_on_device<TypeParam>(sparse);
  const auto part = kernels::rows_of(whole, 20, 11);
  kernels::multiply<TypeParam>(TypeParam(), part, to_device<TypeParam>(weights), z);
  const auto all =
      reference::gemm(1.0, reference::dense(sparse, 30), weights, 0.0, reference::Matrix(40, 3)).values;
  expect_near(to_host(z), {all.begin() + 20 * 3, all.begin() + 31 * 3});
}

}  // namespace
}  // namespace kernmill::testing
