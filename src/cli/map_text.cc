#include "cli/map_text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace berth::cli {

namespace {

using engine::PartKind;

enum class Colour : uint8_t { none, dim, green, cyan, blue, yellow, magenta, red };

constexpr std::array<std::string_view, 8> kColours{"",         "\x1b[2m",  "\x1b[32m", "\x1b[36m",
                                                   "\x1b[34m", "\x1b[33m", "\x1b[35m", "\x1b[1;31m"};

Colour colour_of(PartKind kind) {
  switch (kind) {
    case PartKind::bank:
    case PartKind::range:
      return Colour::cyan;
    case PartKind::resting:
      return Colour::blue;
    case PartKind::subordinate:
      return Colour::yellow;
    case PartKind::foreign:
      return Colour::magenta;
    case PartKind::accounts:
      return Colour::green;
    case PartKind::free:
      return Colour::dim;
  }
  return Colour::none;
}

// Lines that meet: each cell knows the directions in which a line leaves it.
constexpr uint8_t kUp = 1;
constexpr uint8_t kDown = 2;
constexpr uint8_t kLeft = 4;
constexpr uint8_t kRight = 8;
constexpr std::array<std::string_view, 16> kLines{" ", "│", "│", "│", "─", "┘", "┐", "┤",
                                                  "─", "└", "┌", "├", "─", "┴", "┬", "┼"};

class Canvas {
 public:
  Canvas(size_t rows, size_t columns) : columns_(columns), cells_(rows * columns) {}

  void line(size_t row, size_t column, uint8_t directions, Colour colour = Colour::none) {
    Cell& cell = at(row, column);
    cell.directions |= directions;
    if (cell.colour == Colour::none) cell.colour = colour;
  }
  void across(size_t row, size_t from, size_t to, Colour colour = Colour::none) {
    line(row, from, kRight, colour);
    for (size_t column = from + 1; column < to; ++column) line(row, column, kLeft | kRight, colour);
    line(row, to, kLeft, colour);
  }
  void down(size_t column, size_t from, size_t to, Colour colour = Colour::none) {
    line(from, column, kDown, colour);
    for (size_t row = from + 1; row < to; ++row) line(row, column, kUp | kDown, colour);
    line(to, column, kUp, colour);
  }
  // One glyph a cell; what does not fit into `width` ends with "…".
  void text(size_t row, size_t column, std::string_view words, size_t width, Colour colour = Colour::none) {
    const bool cut = columns_of(words) > width;
    for (size_t i = 0; i < width && !words.empty(); ++i) {
      size_t length = 1;
      while (length < words.size() && (static_cast<unsigned char>(words[length]) & 0xC0) == 0x80) ++length;
      Cell& cell = at(row, column + i);
      cell.set(cut && i + 1 == width ? "…" : words.substr(0, length));
      cell.colour = colour;
      words.remove_prefix(length);
    }
  }

  [[nodiscard]] std::string paint(bool colours) const {
    std::string out;
    for (size_t row = 0; row * columns_ < cells_.size(); ++row) {
      const auto first = cells_.begin() + static_cast<ptrdiff_t>(row * columns_);
      auto last = first + static_cast<ptrdiff_t>(columns_);
      while (last != first && (last - 1)->blank()) --last;
      Colour now = Colour::none;
      for (auto cell = first; cell != last; ++cell) {
        const Colour wanted = !colours ? Colour::none : cell->blank() ? now : cell->colour;
        if (wanted != now)
          out += fmt::format("{}{}", now == Colour::none ? "" : "\x1b[0m",
                             kColours[static_cast<size_t>(wanted)]);
        now = wanted;
        out += cell->glyph[0] == 0 ? kLines[cell->directions] : cell->shown();
      }
      out += now == Colour::none ? "\n" : "\x1b[0m\n";
    }
    return out;
  }

 private:
  // Small: a host with every bank held has ten million of them.
  struct Cell {
    std::array<char, 4> glyph{};  // UTF-8, one code point; NUL: the lines are what is seen
    uint8_t directions = 0;
    Colour colour = Colour::none;
    void set(std::string_view text) {
      glyph = {};
      std::ranges::copy(text.substr(0, glyph.size()), glyph.begin());
    }
    [[nodiscard]] std::string_view shown() const {
      return {glyph.data(), static_cast<size_t>(std::ranges::find(glyph, '\0') - glyph.begin())};
    }
    [[nodiscard]] bool blank() const { return directions == 0 && (glyph[0] == 0 || glyph[0] == ' '); }
  };
  Cell& at(size_t row, size_t column) { return cells_[row * columns_ + column]; }
  size_t columns_;
  std::vector<Cell> cells_;
};

constexpr size_t kIdWidth = 10;  // 4294967294
constexpr size_t kHeading = 2;   // rows above the picture

// The columns at which things stand.
struct Layout {
  size_t host = kIdWidth + 1;  // the left border of the host's column
  size_t host_end = 0;         // the right one
  size_t lanes = 0;            // where the first one is
  size_t lane_count = 0;
  size_t real = 0;  // where the host IDs beside the boxes begin
  size_t box = 0;
  size_t box_end = 0;
  size_t end = 0;
};

Layout lay_out(const Picture& picture, size_t width) {
  constexpr size_t kLeastHost = 22;
  constexpr size_t kLeastBox = 14;
  constexpr size_t kMostHost = 40;
  constexpr size_t kMostBox = 30;
  const size_t lanes =
      std::min(static_cast<size_t>(picture.lanes), width > kLeastForBoxes ? (width - kLeastForBoxes) / 2 : 0);
  const bool boxes = !picture.boxes.empty();
  // Host's ID, space, lanes with a space each, two host IDs' width, arrow, inside ID.
  const size_t fixed = kIdWidth + 1 + (boxes ? 4 + 2 * lanes + 2 * (kIdWidth + 1) : 0);
  const size_t spare = width > fixed + kLeastHost + kLeastBox ? width - fixed - kLeastHost - kLeastBox : 0;
  Layout layout;
  const size_t host = boxes ? std::min(kMostHost, kLeastHost + spare / 2)
                            : std::min(kMostHost, std::max(kLeastHost, width - fixed));
  layout.host_end = layout.host + host - 1;
  layout.end = layout.host_end + 1;
  if (!boxes) return layout;
  layout.lanes = layout.host_end + 2;
  layout.lane_count = lanes;
  layout.real = layout.lanes + 2 * lanes + 1;
  layout.box = layout.real + kIdWidth + 1;
  layout.box_end = layout.box + std::min(kMostBox, kLeastBox + spare - spare / 2) - 1;
  layout.end = layout.box_end + 2 + kIdWidth;
  return layout;
}

std::string right(uint64_t id) {
  return fmt::format("{:>{}}", id, kIdWidth);
}

class Painter {
 public:
  Painter(const Picture& picture, const Layout& layout)
      : picture_(picture),
        layout_(layout),
        canvas_(kHeading + static_cast<size_t>(picture.rows), layout.end) {}

  std::string paint(bool colours) {
    canvas_.text(0, layout_.host, "Host", layout_.host_end - layout_.host, Colour::none);
    canvas_.text(1, 0, fmt::format("{:>{}}", "IDs", kIdWidth), kIdWidth, Colour::dim);
    if (!picture_.boxes.empty()) {
      canvas_.text(0, layout_.box, "Containers", layout_.box_end - layout_.box, Colour::none);
      canvas_.text(1, layout_.real, fmt::format("{:>{}}", "host IDs", kIdWidth), kIdWidth, Colour::dim);
      canvas_.text(1, layout_.box_end + 2, "inside", kIdWidth, Colour::dim);
    }
    for (const PlacedPart& part : picture_.parts) paint_part(part);
    canvas_.across(row_of(picture_.rows - 1), layout_.host, layout_.host_end);
    canvas_.text(row_of(picture_.rows - 1), 0, right(idmap::kLastId + 1), kIdWidth);
    for (const Box& box : picture_.boxes) paint_box(box);
    for (const Link& link : picture_.links) paint_link(link);
    return canvas_.paint(colours);
  }

 private:
  static size_t row_of(int row) { return kHeading + static_cast<size_t>(row); }

  void paint_part(const PlacedPart& placed) {
    const Colour colour = colour_of(placed.part.kind);
    const size_t top = row_of(placed.top);
    canvas_.across(top, layout_.host, layout_.host_end);
    for (int row = 1; row <= placed.rows; ++row) {
      const size_t at = top + static_cast<size_t>(row);
      // Stretches that are much longer than they are drawn are open at the sides.
      const bool open = placed.part.kind == PartKind::free || placed.part.stands_for > 1;
      for (const size_t side : {layout_.host, layout_.host_end}) {
        canvas_.line(at - 1, side, kDown);
        canvas_.line(at, side, kUp | kDown);
        if (open) canvas_.text(at, side, "~", 1, Colour::dim);
      }
      canvas_.line(at + 1, layout_.host, kUp);
      canvas_.line(at + 1, layout_.host_end, kUp);
      if (static_cast<size_t>(row) > placed.lines.size()) continue;
      const PartLine& line = placed.lines[static_cast<size_t>(row) - 1];
      if (!line.label.empty()) canvas_.text(at, 0, fmt::format("{:>{}}", line.label, kIdWidth), kIdWidth);
      canvas_.text(at, layout_.host + 2, line.text, layout_.host_end - layout_.host - 3,
                   line.warning ? Colour::red : colour);
    }
    // Accounts bear their own IDs.
    if (placed.part.kind != PartKind::accounts) canvas_.text(top, 0, right(placed.part.ids.begin), kIdWidth);
  }

  void paint_box(const Box& box) {
    const Colour colour = box.running ? Colour::green : Colour::dim;
    canvas_.across(row_of(box.top), layout_.box, layout_.box_end);
    canvas_.across(row_of(box.bottom), layout_.box, layout_.box_end);
    canvas_.down(layout_.box, row_of(box.top), row_of(box.bottom));
    canvas_.down(layout_.box_end, row_of(box.top), row_of(box.bottom));
    canvas_.text(row_of(box.top), layout_.box + 2, " " + box.title + " ", layout_.box_end - layout_.box - 3,
                 colour);
    for (const PlacedExtent& extent : box.extents) {
      if (extent.row - 1 != box.top) canvas_.across(row_of(extent.row) - 1, layout_.box, layout_.box_end);
      canvas_.text(row_of(extent.row), layout_.box + 2, extent.text, layout_.box_end - layout_.box - 3,
                   extent.extent ? Colour::none : Colour::dim);
      if (!extent.extent) continue;
      label(extent.row - 1, extent.extent->outside, extent.extent->inside);
      label(extent.row + 1, idmap::outside_of(*extent.extent).end, idmap::inside_of(*extent.extent).end);
    }
  }

  // A later extent's beginning takes the place of the end of the one before.
  void label(int row, uint64_t outside, uint64_t inside) {
    canvas_.text(row_of(row), layout_.real, right(outside), kIdWidth, Colour::dim);
    canvas_.text(row_of(row), layout_.box_end + 2, fmt::format("{:<{}}", inside, kIdWidth), kIdWidth,
                 Colour::dim);
  }

  void paint_link(const Link& link) {
    // For this one there is no room; the box says where its IDs are.
    if (link.lane >= 0 && static_cast<size_t>(link.lane) >= layout_.lane_count) return;
    const size_t from = row_of(link.from);
    const size_t to = row_of(link.to);
    if (link.lane < 0) {
      canvas_.across(from, layout_.host_end, layout_.box - 1, Colour::cyan);
    } else {
      const size_t lane = layout_.lanes + 2 * static_cast<size_t>(link.lane);
      canvas_.across(from, layout_.host_end, lane, Colour::cyan);
      canvas_.down(lane, std::min(from, to), std::max(from, to), Colour::cyan);
      canvas_.across(to, lane, layout_.box - 1, Colour::cyan);
    }
    canvas_.text(to, layout_.box - 1, ">", 1, Colour::cyan);
  }

  const Picture& picture_;
  const Layout& layout_;
  Canvas canvas_;
};

// For a terminal that is too narrow for two columns: who maps a part stands in it.
Picture in_one_column(Picture picture) {
  for (PlacedPart& placed : picture.parts) {
    for (const Box& box : picture.boxes) {
      for (const PlacedExtent& extent : box.extents) {
        if (!extent.extent || !placed.part.ids.contains(extent.extent->outside)) continue;
        placed.lines.push_back(
            {"", fmt::format("> {} {}", box.title, engine::text_of(idmap::inside_of(*extent.extent)))});
      }
    }
  }
  int row = 0;
  for (PlacedPart& placed : picture.parts) {
    placed.top = row;
    placed.rows = static_cast<int>(placed.lines.size());
    row += placed.rows + 1;
  }
  picture.rows = row + 1;
  picture.boxes.clear();
  picture.links.clear();
  picture.lanes = 0;
  return picture;
}

}  // namespace

std::string map_as_text(const Picture& picture, const TextStyle& style) {
  Picture narrow;
  const Picture* shown = &picture;
  if (style.width < kLeastForBoxes) {
    narrow = in_one_column(picture);
    shown = &narrow;
  }
  const Layout layout = lay_out(*shown, style.width);
  std::string text = Painter(*shown, layout).paint(style.colours);
  if (!picture.notes.empty()) text += "\n";
  for (const std::string& note : picture.notes) text += note + "\n";
  return text;
}

}  // namespace berth::cli
