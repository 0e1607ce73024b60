#include "cli/map_svg.h"

#include <algorithm>
#include <string_view>

#include "base/error.h"

namespace berth::cli {

namespace {

using engine::PartKind;

constexpr int kRow = 20;  // pixels, as all below
constexpr int kMargin = 20;
constexpr int kHeading = 50;
constexpr int kIds = 95;  // for the IDs at the left
constexpr int kHost = 300;
constexpr int kFirstLane = 30;
constexpr int kLane = 14;
constexpr int kReal = 110;
constexpr int kBox = 220;
constexpr int kInside = 110;
constexpr int kBaseline = 15;  // of a text in its row

// Plain values, said twice: not every program that shows SVG knows variables or the media query.
constexpr std::string_view kStyle = R"(<style>
  text { font: 13px ui-monospace, monospace; fill: #1b1f24; white-space: pre; }
  .soft { fill: #59636e; } .end { text-anchor: end; } .head { font-weight: bold; }
  .warning { fill: #c92a2a; font-weight: bold; } .paper { fill: #ffffff; }
  .part, .box { stroke: #8c959f; } .box { fill: #ffffff; } line { stroke: #8c959f; }
  .bank, .running { fill: #cfe8f3; } .resting { fill: #dfe3f7; } .range { fill: #cdeee6; }
  .subordinate { fill: #fbeec2; } .namespace { fill: #f3d9f2; } .accounts { fill: #d8f0d3; }
  .free { fill: none; stroke-dasharray: 4 4; } path { fill: none; stroke: #0b7285; stroke-width: 1.5; }
  marker path { fill: #0b7285; stroke: none; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; } .soft { fill: #9aa4af; } .warning { fill: #ff8787; } .paper { fill: #0d1117; }
    .part, .box { stroke: #6e7681; } .box { fill: #0d1117; } line { stroke: #6e7681; }
    .bank, .running { fill: #10394a; } .resting { fill: #232a55; } .range { fill: #0d4038; }
    .subordinate { fill: #4a3b08; } .namespace { fill: #4a1f48; } .accounts { fill: #17401a; } .free { fill: none; }
    path { stroke: #58c4d8; } marker path { fill: #58c4d8; stroke: none; }
  }
</style>
<defs><marker id="to" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">
  <path d="M0 0 L8 4 L0 8 z"/></marker></defs>
)";

// shown_name() has let no control byte through; here go the characters that mean something to XML.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

// Cut to what fits into so many pixels of a monospaced font.
std::string fitting(std::string_view text, int pixels) {
  constexpr int kGlyph = 8;
  const auto most = static_cast<size_t>(pixels / kGlyph);
  if (columns_of(text) <= most) return escaped(text);
  size_t end = 0;
  for (size_t columns = 0; columns + 1 < most; ++columns) {
    do ++end;
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80);
  }
  return escaped(text.substr(0, end)) + "…";
}

class Drawing {
 public:
  explicit Drawing(const Picture& picture)
      : picture_(picture),
        host_(kMargin + kIds),
        lanes_(host_ + kHost + kFirstLane),
        box_(lanes_ + kLane * picture.lanes + kReal) {}

  std::string draw() {
    const int right = picture_.boxes.empty() ? host_ + kHost + kMargin : box_ + kBox + kInside + kMargin;
    const int notes = y_of(picture_.rows) + kRow;
    const int height = notes + static_cast<int>(picture_.notes.size()) * kRow + kMargin;
    out_ = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" "
        "role=\"img\">\n<title>The host's ID space</title>\n",
        std::max(right, 640), height);
    out_ += kStyle;
    out_ += "<rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n";
    text(host_, kHeading / 2, "head", "Host");
    text(host_ - 10, kHeading / 2, "soft end", "IDs");
    if (!picture_.boxes.empty()) {
      text(box_, kHeading / 2, "head", "Containers");
      text(box_ - 10, kHeading / 2, "soft end", "host IDs");
      text(box_ + kBox + 10, kHeading / 2, "soft", "inside");
    }
    for (const PlacedPart& part : picture_.parts) draw_part(part);
    for (const Box& box : picture_.boxes) draw_box(box);
    for (const Link& link : picture_.links) draw_link(link);
    for (size_t i = 0; i < picture_.notes.size(); ++i) {
      text(kMargin, notes + static_cast<int>(i) * kRow + kBaseline, "", escaped(picture_.notes[i]));
    }
    return std::move(out_) + "</svg>\n";
  }

 private:
  // A border is in the middle of its row.
  static int y_of(int row) { return kHeading + row * kRow + kRow / 2; }

  // `words` are escaped already.
  void text(int x, int y, std::string_view classes, std::string_view words) {
    out_ += fmt::format("<text x=\"{}\" y=\"{}\" class=\"{}\">{}</text>\n", x, y, classes, words);
  }

  void draw_part(const PlacedPart& placed) {
    const int top = y_of(placed.top);
    const int height = y_of(placed.top + placed.rows + 1) - top;
    out_ +=
        fmt::format("<g><title>{}: {}</title>\n", engine::text_of(placed.part.ids), escaped(all_of(placed)));
    out_ += fmt::format("<rect class=\"part {}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>\n",
                        word_for(placed.part.kind), host_, top, kHost, height);
    if (placed.part.kind != PartKind::accounts) {
      text(host_ - 10, top + 5, "soft end", fmt::format("{}", placed.part.ids.begin));
    }
    for (size_t i = 0; i < placed.lines.size(); ++i) {
      const int y = top + kRow / 2 + static_cast<int>(i) * kRow + kBaseline;
      const PartLine& line = placed.lines[i];
      if (!line.label.empty()) text(host_ - 10, y, "soft end", line.label);
      text(host_ + 10, y, line.warning ? "warning" : "", fitting(line.text, kHost - 20));
    }
    out_ += "</g>\n";
  }

  static std::string all_of(const PlacedPart& placed) {
    std::string all;
    for (const PartLine& line : placed.lines) all += (all.empty() ? "" : ", ") + line.text;
    return all;
  }

  void draw_box(const Box& box) {
    out_ += fmt::format("<g><title>{}: {}</title>\n", escaped(box.title), escaped(box.about));
    out_ += fmt::format("<rect class=\"box{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>\n",
                        box.running ? " running" : "", box_, y_of(box.top), kBox,
                        y_of(box.bottom) - y_of(box.top));
    for (const PlacedExtent& extent : box.extents) {
      if (extent.row - 1 != box.top) {
        out_ += fmt::format("<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"/>\n", box_, y_of(extent.row - 1),
                            box_ + kBox, y_of(extent.row - 1));
      }
      const bool first = &extent == &box.extents.front();
      const std::string words = first ? box.title + " · " + extent.text : extent.text;
      text(box_ + 10, y_of(extent.row) + 5, extent.extent ? "" : "soft", fitting(words, kBox - 20));
      if (!extent.extent) continue;
      label(extent.row - 1, extent.extent->outside, extent.extent->inside);
      const bool last = &extent == &box.extents.back() || !(&extent + 1)->extent;
      if (last)
        label(extent.row + 1, idmap::outside_of(*extent.extent).end, idmap::inside_of(*extent.extent).end);
    }
    out_ += "</g>\n";
  }

  void label(int row, uint64_t outside, uint64_t inside) {
    text(box_ - 10, y_of(row) + 5, "soft end", fmt::format("{}", outside));
    text(box_ + kBox + 10, y_of(row) + 5, "soft", fmt::format("{}", inside));
  }

  void draw_link(const Link& link) {
    const int begin = host_ + kHost;
    if (link.lane < 0) {
      out_ += fmt::format("<path marker-end=\"url(#to)\" d=\"M{} {} H{}\"/>\n", begin, y_of(link.from), box_);
    } else {
      out_ += fmt::format("<path marker-end=\"url(#to)\" d=\"M{} {} H{} V{} H{}\"/>\n", begin,
                          y_of(link.from), lanes_ + kLane * link.lane, y_of(link.to), box_);
    }
  }

  const Picture& picture_;
  int host_;
  int lanes_;
  int box_;
  std::string out_;
};

}  // namespace

std::string map_as_svg(const Picture& picture) {
  return Drawing(picture).draw();
}

}  // namespace berth::cli
