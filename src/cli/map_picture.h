// The picture of the host's ID space, as rows that know where they stand: the host's column on the left, the
// containers' own spaces on the right, and lines between them. Pure; what it looks like on a terminal or as
// SVG is up to map_text.h and map_svg.h.
//
//     0  +----------------+
//        | root           |                     real IDs            inside
//  ...   ~                ~
//  524288 +---------------+            524288  +- web --------+ 0
//        | bank 0         |------------------->|              |
//        | container web  |            589824  +--------------+ 65536
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/audit/id_facts.h"
#include "engine/audit/id_space.h"

namespace berth::cli {

// What is drawn. Nothing named: the whole host.
struct MapChoice {
  std::string container{};  // the name of the one that is drawn
  std::string project{};    // the containers of this one are drawn
  bool all = false;         // every container, bank and account
};

// A line of text in a part of the host's column.
struct PartLine {
  std::string label{};  // at the left of the column: an ID
  std::string text{};
  bool warning = false;
};

struct PlacedPart {
  engine::Part part;
  int top = 0;                    // the row of its upper border
  std::vector<PartLine> lines{};  // the rows below it
  int rows = 0;                   // at least as many as there are lines
};

// A row of a container's box: an extent, or a gap between two.
struct PlacedExtent {
  std::optional<idmap::Extent> extent{};
  int row = 0;  // what is above it is its border
  std::string text{};
};

struct Box {
  std::string title{};
  std::string about{};  // for a tooltip: project, process
  bool running = false;
  int top = 0;
  int bottom = 0;
  std::vector<PlacedExtent> extents{};
};

// From a row of the host's column to one of a box. Those that go straight have lane -1; the others turn in a
// lane, 0 being the leftmost, that no other turns in at those rows.
struct Link {
  int from = 0;
  int to = 0;
  int lane = -1;
};

struct Picture {
  std::vector<PlacedPart> parts{};
  std::vector<Box> boxes{};
  std::vector<Link> links{};
  int lanes = 0;
  int rows = 0;                      // the last one is the lower border of the host's column
  std::vector<std::string> notes{};  // full sentences below the picture
};

Picture draw(const engine::IdFacts& facts, const MapChoice& choice);

// A name that somebody else chose, fit to be shown in one line: control bytes, and what would change the
// direction or the place of what stands around it, are made visible.
std::string shown_name(std::string_view name);

// So many columns a text takes that shown_name() gave.
size_t columns_of(std::string_view text);

}  // namespace berth::cli
