//! Kernels over vectors: sieves, sorts, matrices, trees and graphs in arrays.

use super::arith::{Checked, pop};

const NIL: u64 = 0xffff_ffff;
const PRIME: u64 = 1_000_000_007;

/// A linear congruential generator.
#[inline]
pub(super) fn next(seed: u64) -> u64 {
    seed.times(1_103_515_245).plus(12_345).modulo(2_147_483_648)
}

pub(super) fn bench_sieve(n: u64) -> u64 {
    let mut v = Vec::<bool>::new();
    let mut i = 0u64;
    while i <= n {
        v.push(true);
        i = i.plus(1);
    }
    let mut p = 2u64;
    while p.times(p) <= n {
        if v[p as usize] {
            let mut m = p.times(p);
            while m <= n {
                v[m as usize] = false;
                m = m.plus(p);
            }
        }
        p = p.plus(1);
    }
    let mut count = 0u64;
    let mut i = 2u64;
    while i <= n {
        if v[i as usize] {
            count = count.plus(1);
        }
        i = i.plus(1);
    }
    count
}

fn lcg(n: u64) -> Vec<u64> {
    let mut v = Vec::new();
    let mut s = 42u64;
    let mut i = 0u64;
    while i < n {
        s = next(s);
        v.push(s.modulo(100_000));
        i = i.plus(1);
    }
    v
}

fn merge_sort(v: Vec<u64>) -> Vec<u64> {
    let n = v.len();
    if n < 2 {
        return v;
    }
    let mut a = Vec::new();
    let mut i = 0;
    while i < n / 2 {
        a.push(v[i]);
        i += 1;
    }
    let mut b = Vec::new();
    while i < n {
        b.push(v[i]);
        i += 1;
    }
    let a = merge_sort(a);
    let b = merge_sort(b);
    let mut out = Vec::new();
    let (mut i, mut j) = (0, 0);
    while i < a.len() && j < b.len() {
        if a[i] <= b[j] {
            out.push(a[i]);
            i += 1;
        } else {
            out.push(b[j]);
            j += 1;
        }
    }
    while i < a.len() {
        out.push(a[i]);
        i += 1;
    }
    while j < b.len() {
        out.push(b[j]);
        j += 1;
    }
    out
}

fn digest(v: &[u64]) -> u64 {
    let mut h = 7u64;
    for x in v {
        h = h.times(31).plus(*x).modulo(PRIME);
    }
    h
}

pub(super) fn bench_merge_sort(n: u64) -> u64 {
    digest(&merge_sort(lcg(n)))
}

pub(super) fn bench_bubble_sort(n: u64) -> u64 {
    let mut v = lcg(n);
    let mut i = 0u64;
    while i < n {
        let mut j = 0u64;
        while j.plus(1) < n.minus(i) {
            if v[j as usize] > v[j.plus(1) as usize] {
                v.swap(j as usize, j.plus(1) as usize);
            }
            j = j.plus(1);
        }
        i = i.plus(1);
    }
    digest(&v)
}

fn matrix(n: u64, k: u64) -> Vec<Vec<u64>> {
    let mut m = Vec::new();
    let mut i = 0u64;
    while i < n {
        let mut row = Vec::new();
        let mut j = 0u64;
        while j < n {
            row.push(i.times(k).plus(j.times(7)).modulo(97));
            j = j.plus(1);
        }
        m.push(row);
        i = i.plus(1);
    }
    m
}

pub(super) fn bench_matmul(n: u64) -> u64 {
    let (a, b) = (matrix(n, 3), matrix(n, 5));
    let mut t = 0u64;
    let mut i = 0u64;
    while i < n {
        let row = &a[i as usize];
        let mut j = 0u64;
        while j < n {
            let mut s = 0u64;
            let mut k = 0u64;
            while k < n {
                s = s.plus(row[k as usize].times(b[k as usize][j as usize]));
                k = k.plus(1);
            }
            t = t.times(3).plus(s).modulo(PRIME);
            j = j.plus(1);
        }
        i = i.plus(1);
    }
    t
}

#[derive(Clone, Copy)]
struct Ball {
    x: u64,
    y: u64,
    dx: u64,
    dy: u64,
    left: bool,
    up: bool,
}

fn step(b: &mut Ball) -> bool {
    let mut hit = false;
    if b.left {
        if b.x < b.dx {
            b.left = false;
            hit = true;
        } else {
            b.x = b.x.minus(b.dx);
        }
    } else {
        b.x = b.x.plus(b.dx);
        if b.x > 1000 {
            b.x = 1000;
            b.left = true;
            hit = true;
        }
    }
    if b.up {
        if b.y < b.dy {
            b.up = false;
            hit = true;
        } else {
            b.y = b.y.minus(b.dy);
        }
    } else {
        b.y = b.y.plus(b.dy);
        if b.y > 800 {
            b.y = 800;
            b.up = true;
            hit = true;
        }
    }
    hit
}

pub(super) fn bench_balls(n: u64, mut steps: u64) -> u64 {
    let mut balls = Vec::<Ball>::new();
    let mut s = 1u64;
    let mut i = 0u64;
    while i < n {
        let (a, b) = (next(s), next(s.plus(1)));
        balls.push(Ball {
            x: a.modulo(1000),
            y: b.modulo(800),
            dx: a.modulo(9).plus(1),
            dy: b.modulo(7).plus(1),
            left: a.modulo(2) == 0,
            up: b.modulo(2) == 0,
        });
        s = next(b);
        i = i.plus(1);
    }
    let mut bounces = 0u64;
    while steps > 0 {
        let mut i = 0u64;
        while i < n {
            if step(&mut balls[i as usize]) {
                bounces = bounces.plus(1);
            }
            i = i.plus(1);
        }
        steps = steps.minus(1);
    }
    let mut h = bounces;
    let mut i = 0u64;
    while i < n {
        let b = &balls[i as usize];
        h = h.times(131).plus(b.x.times(1000)).plus(b.y).modulo(PRIME);
        i = i.plus(1);
    }
    h
}

#[derive(Clone, Copy)]
struct Node {
    key: u64,
    left: u64,
    right: u64,
}

fn bst_insert(t: &mut Vec<Node>, key: u64) -> u64 {
    let n = t.len() as u64;
    t.push(Node {
        key,
        left: NIL,
        right: NIL,
    });
    if n == 0 {
        return 0;
    }
    let (mut cur, mut depth) = (0u64, 1u64);
    loop {
        let node = &mut t[cur as usize];
        let go_left = key < node.key;
        let child = if go_left { node.left } else { node.right };
        if child == NIL {
            if go_left {
                node.left = n;
            } else {
                node.right = n;
            }
            return depth;
        }
        cur = child;
        depth = depth.plus(1);
    }
}

pub(super) fn bench_bst(n: u64) -> u64 {
    let mut t = Vec::new();
    let (mut s, mut d) = (99u64, 0u64);
    let mut i = 0u64;
    while i < n {
        s = next(s);
        d = d.plus(bst_insert(&mut t, s));
        i = i.plus(1);
    }
    let mut stack = Vec::<u64>::new();
    let (mut cur, mut h) = (0u64, 0u64);
    while cur != NIL || !stack.is_empty() {
        while cur != NIL {
            stack.push(cur);
            cur = t[cur as usize].left;
        }
        let k = pop(&mut stack);
        h = h.times(17).plus(t[k as usize].key).modulo(PRIME);
        cur = t[k as usize].right;
    }
    d.times(PRIME).plus(h)
}

pub(super) fn bench_bfs(n: u64) -> u64 {
    let (mut rows, mut edges) = (vec![0u64], Vec::<u64>::new());
    let mut i = 0u64;
    while i < n {
        edges.push(i.times(7).plus(1).modulo(n));
        if i.modulo(2) == 0 {
            edges.push(i.times(i).plus(3).modulo(n));
        }
        if i.modulo(5) == 0 {
            edges.push(i.plus(1).modulo(n));
        }
        rows.push(edges.len() as u64);
        i = i.plus(1);
    }
    let mut h = 0u64;
    let mut start = 0u64;
    while start < 3 {
        let mut dist = Vec::<u64>::new();
        let mut i = 0u64;
        while i < n {
            dist.push(NIL);
            i = i.plus(1);
        }
        let first = start.times(11).modulo(n);
        let mut queue = vec![first];
        dist[first as usize] = 0;
        let mut head = 0u64;
        while head < queue.len() as u64 {
            let u = queue[head as usize];
            head = head.plus(1);
            let d = dist[u as usize].plus(1);
            let (mut e, last) = (rows[u as usize], rows[u.plus(1) as usize]);
            while e < last {
                let w = edges[e as usize];
                if dist[w as usize] == NIL {
                    dist[w as usize] = d;
                    queue.push(w);
                }
                e = e.plus(1);
            }
        }
        let mut i = 0u64;
        while i < n {
            if dist[i as usize] != NIL {
                h = h.times(3).plus(dist[i as usize]).modulo(PRIME);
            }
            i = i.plus(1);
        }
        start = start.plus(1);
    }
    h
}
