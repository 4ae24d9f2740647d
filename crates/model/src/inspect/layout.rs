//! Where boxes stand: in rows from the image down, branches beside each other, few lines crossing.
//!
//! Rows are longest paths from the image. A line that passes rows has a place in each of them, one for all that read its
//! source. Rows are ordered by the mean place of what is above, then below; columns are the least squares of what is
//! joined, under the order.
//!
//! # Reference
//! [Methods for Visual Understanding of Hierarchical System Structures](https://doi.org/10.1109/TSMC.1981.4308636),
//! Sugiyama et al., 1981.

/// Where everything stands, in pixels.
pub(super) struct Layout {
    /// The middle of each box.
    pub centers: Vec<[f32; 2]>,
    /// For each box the lines from it: through which points, to which box.
    pub lines: Vec<Line>,
    pub size: [f32; 2],
}

/// A line from the bottom of a box to the top of another.
pub(super) struct Line {
    pub from: usize,
    pub to: usize,
    /// The columns that it passes in the rows between.
    pub passes: Vec<f32>,
}

/// How often rows are put in order, down and up.
const SWEEPS: usize = 8;

/// How often columns are moved.
const MOVES: usize = 80;

/// The width of a line's place, in pixels.
const LINE: f32 = 18.0;

/// The room between boxes of one row, in pixels.
const ROOM: f32 = 24.0;

/// How much more a box counts than a line, where both meet.
const TRUNK: f32 = 6.0;

/// How strongly everything is drawn to the middle of the picture, so that nothing drifts.
const CENTER: f32 = 0.12;

/// A box, or the place of a line in a row.
struct Place {
    row: usize,
    width: f32,
    is_line: bool,
    above: Vec<usize>,
    below: Vec<usize>,
    x: f32,
}

/// Places boxes of these widths; `inputs` are the boxes that each reads, which come before it. Rows are `height` apart.
pub(super) fn layout(widths: &[f32], inputs: &[Vec<usize>], height: f32) -> Layout {
    let rows_of = rows(inputs);
    let mut places: Vec<Place> = widths
        .iter()
        .zip(&rows_of)
        .map(|(&width, &row)| Place { row, width: width + ROOM, is_line: false, above: vec![], below: vec![], x: 0.0 })
        .collect();

    // One place in each row between for all lines from a box.
    let mut passing: Vec<Vec<usize>> = vec![vec![]; widths.len()];
    for (to, inputs) in inputs.iter().enumerate() {
        for &from in inputs {
            while rows_of[from] + passing[from].len() + 1 < rows_of[to] {
                let above = *passing[from].last().unwrap_or(&from);
                let (id, row) = (places.len(), places[above].row + 1);
                places.push(Place { row, width: LINE, is_line: true, above: vec![above], below: vec![], x: 0.0 });
                places[above].below.push(id);
                passing[from].push(id);
            }
            let between = rows_of[to] - rows_of[from] - 1;
            let above = if between == 0 { from } else { passing[from][between - 1] };
            places[to].above.push(above);
            places[above].below.push(to);
        }
    }

    let mut rows: Vec<Vec<usize>> = vec![vec![]; rows_of.iter().max().map_or(0, |last| last + 1)];
    for (id, place) in places.iter().enumerate() {
        rows[place.row].push(id);
    }
    order(&mut rows, &places);
    columns(&rows, &mut places);

    let left = places.iter().map(|place| place.x - place.width / 2.0).fold(f32::INFINITY, f32::min);
    let right = places.iter().map(|place| place.x + place.width / 2.0).fold(0.0, f32::max);
    let center = |id: usize| [places[id].x - left, (places[id].row as f32 + 0.5) * height];
    let line = |to: usize, from: usize| {
        let passes = &passing[from][..rows_of[to] - rows_of[from] - 1];
        Line { from, to, passes: passes.iter().map(|&id| center(id)[0]).collect() }
    };
    Layout {
        centers: (0..widths.len()).map(center).collect(),
        lines: inputs
            .iter()
            .enumerate()
            .flat_map(|(to, from)| from.iter().map(move |&from| (to, from)))
            .map(|(to, from)| line(to, from))
            .collect(),
        size: [right - left, rows.len() as f32 * height],
    }
}

/// The row of each box: one below the lowest that it reads. A box without inputs stands just above its reader.
fn rows(inputs: &[Vec<usize>]) -> Vec<usize> {
    let mut rows = vec![0; inputs.len()];
    for (id, inputs) in inputs.iter().enumerate() {
        rows[id] = inputs.iter().map(|&input| rows[input] + 1).max().unwrap_or(0);
    }
    let mut highest_reader = vec![usize::MAX; inputs.len()];
    for (id, inputs) in inputs.iter().enumerate() {
        inputs.iter().for_each(|&input| highest_reader[input] = highest_reader[input].min(rows[id]));
    }
    // The image itself stays on top.
    for id in (1..inputs.len()).filter(|&id| inputs[id].is_empty() && highest_reader[id] != usize::MAX) {
        rows[id] = highest_reader[id].saturating_sub(1);
    }
    rows
}

/// Orders each row by the mean of what it is joined to, down and up in turn.
fn order(rows: &mut [Vec<usize>], places: &[Place]) {
    let mut at = vec![0.0; places.len()];
    let number = |row: &[usize], at: &mut [f32]| {
        let middle = (row.len() as f32 - 1.0) / 2.0;
        row.iter().enumerate().for_each(|(i, &id)| at[id] = i as f32 - middle);
    };
    rows.iter().for_each(|row| number(row, &mut at));
    for sweep in 0..SWEEPS {
        let down = sweep.is_multiple_of(2);
        let ids: Vec<usize> = if down { (0..rows.len()).collect() } else { (0..rows.len()).rev().collect() };
        for row in ids {
            let wish = |id: usize| {
                let joined = if down { &places[id].above } else { &places[id].below };
                match joined.len() {
                    0 => at[id],
                    n => joined.iter().map(|&other| at[other]).sum::<f32>() / n as f32,
                }
            };
            let mut wished: Vec<(f32, usize)> = rows[row].iter().map(|&id| (wish(id), id)).collect();
            wished.sort_by(|a, b| a.0.total_cmp(&b.0));
            rows[row] = wished.into_iter().map(|(_, id)| id).collect();
            number(&rows[row], &mut at);
        }
    }
}

/// Gives each place its column: as near as can be to the mean of what it is joined to, in its row's order.
fn columns(rows: &[Vec<usize>], places: &mut [Place]) {
    for row in rows {
        let mut x = -row.iter().map(|&id| places[id].width).sum::<f32>() / 2.0;
        for &id in row {
            places[id].x = x + places[id].width / 2.0;
            x += places[id].width;
        }
    }
    for turn in 0..MOVES {
        let ids: Vec<usize> =
            if turn.is_multiple_of(2) { (0..rows.len()).collect() } else { (0..rows.len()).rev().collect() };
        for row in ids {
            let wishes: Vec<(f32, f32)> = rows[row]
                .iter()
                .map(|&id| (wish(places, id, turn), if places[id].is_line { 1.0 } else { TRUNK }))
                .collect();
            let widths: Vec<f32> = rows[row].iter().map(|&id| places[id].width).collect();
            for (&id, x) in rows[row].iter().zip(apart(&wishes, &widths)) {
                places[id].x = x;
            }
        }
    }
}

/// Where a place wants to stand: by what is above or below it in turn, at last by both.
fn wish(places: &[Place], id: usize, turn: usize) -> f32 {
    let Place { above, below, x, .. } = &places[id];
    let joined: Vec<usize> = match turn {
        _ if turn + 4 >= MOVES => above.iter().chain(below).copied().collect(),
        _ if turn.is_multiple_of(2) => above.clone(),
        _ => below.clone(),
    };
    // What goes on in a box is the trunk, and lines bend around it.
    let pull = |other: usize| if places[other].is_line { 1.0 } else { TRUNK };
    let weight: f32 = joined.iter().map(|&other| pull(other)).sum();
    match joined.len() {
        0 => *x,
        _ => joined.iter().map(|&other| places[other].x * pull(other)).sum::<f32>() / weight * (1.0 - CENTER),
    }
}

/// The columns nearest to these wishes, by weighted squares, at which things of these widths stand beside each other in order:
/// what would overlap is pooled, and stands around the mean of its wishes.
fn apart(wishes: &[(f32, f32)], widths: &[f32]) -> Vec<f32> {
    // Shifted by all widths before, order alone remains.
    let mut offset = 0.0;
    let offsets: Vec<f32> = widths
        .iter()
        .map(|width| {
            offset += width;
            offset - width / 2.0
        })
        .collect();
    let mut pools: Vec<(f32, f32, usize)> = vec![]; // mean, weight, how many
    for (&(wish, weight), offset) in wishes.iter().zip(&offsets) {
        let mut pool = (wish - offset, weight, 1);
        while let Some(&(mean, before, n)) = pools.last()
            && mean > pool.0
        {
            pools.pop();
            pool = ((mean * before + pool.0 * pool.1) / (before + pool.1), before + pool.1, n + pool.2);
        }
        pools.push(pool);
    }
    let means = pools.into_iter().flat_map(|(mean, _, n)| std::iter::repeat_n(mean, n));
    means.zip(offsets).map(|(mean, offset)| mean + offset).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_overlap_stands_around_its_mean() {
        assert_eq!(apart(&[(0.0, 1.0), (10.0, 1.0)], &[4.0, 4.0]), [0.0, 10.0]);
        assert_eq!(apart(&[(5.0, 1.0), (5.0, 1.0)], &[4.0, 4.0]), [3.0, 7.0]);
        assert_eq!(apart(&[(8.0, 1.0), (2.0, 3.0)], &[2.0, 2.0]), [2.0, 4.0], "by weight: the mean is 3");
    }

    #[test]
    fn branches_stand_beside_each_other_and_a_skip_beside_them() {
        // 0 to 1 to 2 to 3, and 0 to 3.
        let skip = layout(&[50.0; 4], &[vec![], vec![0], vec![1], vec![0, 2]], 60.0);
        let rows: Vec<f32> = skip.centers.iter().map(|center| center[1]).collect();
        assert_eq!(rows, [30.0, 90.0, 150.0, 210.0]);
        let line = skip.lines.iter().find(|line| (line.from, line.to) == (0, 3)).unwrap();
        assert_eq!(line.passes.len(), 2);
        assert!((line.passes[0] - skip.centers[1][0]).abs() >= (50.0 + ROOM + LINE) / 2.0 - 0.01, "beside box 1");
        // 0 to 1 and 2 to 3.
        let branches = layout(&[50.0; 4], &[vec![], vec![0], vec![0], vec![1, 2]], 60.0);
        let [a, b, c, d] = branches.centers[..] else { panic!() };
        assert!(b[1] == c[1] && (c[0] - b[0]).abs() >= 50.0);
        assert!((a[0] - (b[0] + c[0]) / 2.0).abs() < 1.0 && (d[0] - a[0]).abs() < 1.0, "in the middle");
    }
}
