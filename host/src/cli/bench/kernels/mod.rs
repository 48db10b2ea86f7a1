//! The golden bench kernels written in native Rust: what the sandbox is measured against.
//!
//! Each is the Move kernel of `tests/golden/bench/sources` done by hand with the same algorithm and the data structures that a
//! Rust programmer would take (`Vec`, `String`, structs, enums, closures, an ordered map for accounts). All arithmetic is checked.

mod arith;
mod collections;
mod data;
mod numeric;

/// A kernel: takes the arguments of its golden case, gives its result.
pub(crate) type Native = fn(&[u64]) -> u64;

/// The native kernel of the golden case `id`.
pub(crate) fn native(id: &str) -> Option<Native> {
    KERNELS
        .iter()
        .find(|(name, _)| *name == id)
        .map(|(_, kernel)| *kernel)
}

/// Balance of each of the four accounts that the set-up steps of the case `bank` open.
const OPENING_BALANCE: u64 = 100_000;

/// Kernels by the id of their golden case.
const KERNELS: [(&str, Native); 21] = [
    ("fib", |a| numeric::bench_fib(a[0])),
    ("sum_loop", |a| numeric::bench_sum_loop(a[0])),
    ("sieve", |a| collections::bench_sieve(a[0])),
    ("hanoi", |a| numeric::bench_hanoi(arith::to_u8(a[0]))),
    ("queens", |a| numeric::bench_queens(arith::to_u8(a[0]))),
    ("merge_sort", |a| collections::bench_merge_sort(a[0])),
    ("bubble_sort", |a| collections::bench_bubble_sort(a[0])),
    ("matmul", |a| collections::bench_matmul(a[0])),
    ("balls", |a| collections::bench_balls(a[0], a[1])),
    ("bst", |a| collections::bench_bst(a[0])),
    ("mulmod_u128", |a| numeric::bench_mulmod_u128(a[0])),
    ("mulmod_u256", |a| numeric::bench_mulmod_u256(a[0])),
    ("struct_update", |a| data::bench_struct_update(a[0])),
    ("generic_churn", |a| data::bench_generic_churn(a[0])),
    ("enum_match", |a| data::bench_enum_match(a[0])),
    ("closure_loop", |a| data::bench_closure_loop(a[0])),
    ("sha3", |a| data::bench_sha3(a[0])),
    ("parse", |a| data::bench_parse(a[0])),
    ("string", |a| data::bench_string(a[0])),
    ("bfs", |a| collections::bench_bfs(a[0])),
    ("bank", |a| data::bench_bank(a[0], [OPENING_BALANCE; 4])),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Argument and result of every kernel, as `tests/golden/bench/cases.jsonl` has them.
    fn golden() -> Vec<(String, Vec<u64>, u64)> {
        include_str!("../../../../../tests/golden/bench/cases.jsonl")
            .lines()
            .map(|line| {
                let case: serde_json::Value = serde_json::from_str(line).unwrap();
                let step = case["steps"].as_array().unwrap().last().unwrap();
                let args = step["args"].as_array().unwrap().iter();
                let args = args.map(|a| {
                    a.as_str()
                        .unwrap()
                        .split_once(':')
                        .unwrap()
                        .1
                        .parse()
                        .unwrap()
                });
                let result =
                    hex::decode(step["expect"]["returns"][0]["bcs"].as_str().unwrap()).unwrap();
                let result = u64::from_le_bytes(result.try_into().unwrap());
                (
                    case["id"].as_str().unwrap().to_owned(),
                    args.collect(),
                    result,
                )
            })
            .collect()
    }

    #[test]
    fn every_kernel_gives_the_golden_result() {
        let golden = golden();
        assert_eq!(golden.len(), KERNELS.len());
        for (id, args, result) in golden {
            let kernel = native(&id).unwrap_or_else(|| panic!("no kernel {id}"));
            assert_eq!(kernel(&args), result, "kernel {id}");
        }
    }
}
