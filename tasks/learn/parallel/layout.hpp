#pragma once
#include <cstdint>

namespace kernmill::tasks {

/// How ranks share the training of a network: groups of rows (data), of slices of its layers (tensor), and of
/// its layers (pipeline).
struct Layout {
  std::uint64_t data = 1, tensor = 1, pipeline = 1;
  /// Into how many slices layers are cut, whoever has them: what sums of rounded numbers depend on. A power
  /// of two, and a multiple of `tensor`.
  std::uint64_t slices = 1;

  [[nodiscard]] std::uint64_t ranks() const { return data * tensor * pipeline; }
  /// Whether rows are all that is shared, and layers are whole.
  [[nodiscard]] bool is_plain() const { return tensor == 1 && pipeline == 1 && slices == 1; }
  friend bool operator==(const Layout&, const Layout&) = default;
};

/// Who a rank is: its index in each direction.
struct Place {
  std::uint64_t data = 0, tensor = 0, stage = 0;
  friend bool operator==(const Place&, const Place&) = default;
};

/// Tensor ranks are neighbours, as they talk most; the stages lie farthest apart.
inline Place place_of(const Layout& layout, std::uint64_t rank) {
  return {rank / layout.tensor % layout.data, rank % layout.tensor, rank / (layout.tensor * layout.data)};
}
inline std::uint64_t rank_of(const Layout& layout, const Place& place) {
  return (place.stage * layout.data + place.data) * layout.tensor + place.tensor;
}

}  // namespace kernmill::tasks
