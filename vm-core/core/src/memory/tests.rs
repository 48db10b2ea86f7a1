//! The region by itself: these run under Miri as well.

use super::code::CodeRef;
use super::*;
use crate::interp::op::Op;

const KIB: u32 = 1 << 10;

fn memory(heap: u32) -> Memory {
    Memory::new(KIB, heap, &[KIB, 4 * KIB], false)
}

/// Allocates as the machine does; `keep`: objects that are alive when the heap has to be collected.
fn allocate(memory: &mut Memory, size: u32, keep: &mut [Addr]) -> Result<Addr, OutOfHeap> {
    let cost = object_cost(size);
    if !memory.has_room(cost) {
        memory.begin_collection(true);
        for object in &mut *keep {
            *object = memory.evacuate(*object).ok_or(OutOfHeap)?.to;
        }
        memory.finish_collection();
        memory.settle(cost)?;
    }
    memory.allocate(size, 1)
}

#[test]
fn objects_are_apart_and_keep_their_contents() {
    let mut memory = memory(4 * KIB);
    let sizes = [0, 1, 7, 8, 9, 100];
    let objects = sizes.map(|size| memory.allocate(size, size).unwrap());
    for (&object, size) in objects.iter().zip(sizes) {
        assert!(object.is_multiple_of(MAX_ALIGN));
        memory.bytes_mut(object, size).fill(size as u8);
    }
    for (&object, size) in objects.iter().zip(sizes) {
        assert!(memory.is_object(object, size.into(), Some(size)));
        assert!(!memory.is_object(object, u64::from(size) + 1, None));
        assert!(memory.bytes(object, size).iter().all(|&b| b == size as u8));
        assert!(memory.object_size(object + 4).is_none());
    }
}

#[test]
fn values_of_every_width_are_read_as_written_at_any_address() {
    let mut memory = memory(KIB);
    let at = memory.stack_start() + 3;
    memory.set(at, u128::MAX - 5);
    assert_eq!(memory.get::<u128>(at), u128::MAX - 5);
    memory.set(at + 1, U256::MAX);
    assert_eq!(memory.get::<U256>(at + 1), U256::MAX);
    memory.set(at, [7u8; 12]);
    assert_eq!(memory.get::<u32>(at), 0x0707_0707);
    memory.copy(at + 5, at, 12);
    assert_eq!(memory.get::<[u8; 12]>(at + 5), [7; 12]);
    memory.set(at, 0x0000_0002_0000_0001u64);
    assert_eq!(memory.referent(at), 3);
    memory.swap(at, at + 40, 20);
    assert_eq!(memory.get::<u64>(at + 40), 0x0000_0002_0000_0001);
}

#[test]
#[should_panic(expected = "outside the transaction region")]
fn nothing_below_the_region_is_read() {
    let memory = memory(KIB);
    memory.get::<u64>(memory.stack_start() - 4);
}

#[test]
#[should_panic(expected = "outside the transaction region")]
fn nothing_behind_the_region_is_written() {
    let mut memory = memory(KIB);
    let end = memory.end;
    memory.set(end - 7, 1u64);
}

#[test]
#[should_panic(expected = "outside the transaction region")]
fn no_range_leaves_the_region() {
    let mut memory = memory(KIB);
    let (start, end) = (memory.stack_start(), memory.end);
    memory.copy(start, end - 10, 11);
}

#[test]
fn survivors_move_to_the_start_with_their_contents() {
    for stress in [false, true] {
        let mut memory = Memory::new(KIB, 4 * KIB, &[], stress);
        let objects: Vec<Addr> = (0..20u32)
            .map(|n| {
                let object = memory.allocate(n, n).unwrap();
                memory.bytes_mut(object, n).fill(n as u8);
                object
            })
            .collect();
        memory.begin_collection(true);
        let kept = [19usize, 3, 11];
        let moved = kept.map(|n| memory.evacuate(objects[n]).unwrap());
        for (moved, n) in moved.iter().zip(kept) {
            assert!(moved.fresh.is_some());
            let again = memory.evacuate(objects[n]).unwrap();
            assert_eq!((again.to, again.fresh), (moved.to, None));
        }
        memory.finish_collection();
        for (moved, n) in moved.iter().zip(kept) {
            let n = n as u32;
            assert!(memory.is_object(moved.to, n.into(), Some(n)));
            assert!(memory.bytes(moved.to, n).iter().all(|&b| b == n as u8));
        }
        let live: u64 = kept.iter().map(|&n| object_cost(n as u32)).sum();
        assert_eq!(u64::from(memory.figures().live), live);
    }
}

#[test]
fn the_heap_grows_in_steps_and_holds_twice_what_is_alive() {
    let mut memory = memory(16 * KIB);
    assert_eq!(memory.figures().size, KIB);
    // Garbage only: it never grows.
    for _ in 0..1000 {
        allocate(&mut memory, 100, &mut []).unwrap();
    }
    assert_eq!(memory.figures().size, 4 * KIB);
    memory.reset();
    assert_eq!(memory.figures().size, KIB);
    let mut kept = Vec::new();
    while memory.figures().size < 16 * KIB {
        let before = memory.figures().collections;
        let object = allocate(&mut memory, 100, &mut kept).unwrap();
        kept.push(object);
        if memory.figures().collections > before {
            let (live, size) = (memory.figures().live, memory.figures().size);
            assert!(size >= 2 * live || size == 16 * KIB);
        }
    }
}

#[test]
fn it_runs_out_at_the_same_object_however_often_it_is_collected() {
    let heap = if cfg!(miri) { 2 * KIB } else { 16 * KIB };
    let runs = [false, true].map(|stress| {
        let mut memory = Memory::new(KIB, heap, &[KIB, 4 * KIB], stress);
        let (mut kept, mut count) = (Vec::new(), 0u32);
        loop {
            // Every third one stays.
            let Ok(object) = allocate(&mut memory, 40 + count % 50, &mut kept) else {
                break (count, memory.figures().allocated);
            };
            if count.is_multiple_of(3) {
                kept.push(object);
            }
            count += 1;
        }
    });
    assert_eq!(runs[0], runs[1]);
    assert!(runs[0].0 > heap / 60);
}

#[test]
fn growing_in_place_counts_like_growing_elsewhere() {
    let mut memory = memory(16 * KIB);
    let object = memory.allocate(64, 1).unwrap();
    let before = memory.figures().allocated;
    assert!(memory.extend(object, 128));
    assert_eq!(memory.figures().allocated - before, object_cost(128));
    memory.allocate(1, 1).unwrap();
    assert!(!memory.extend(object, 256));
}

#[test]
fn a_reset_costs_nothing_and_leaves_nothing() {
    let mut memory = memory(16 * KIB);
    let object = memory.allocate(10 * KIB, 1).unwrap();
    memory.bytes_mut(object, 10 * KIB).fill(9);
    memory.reset();
    assert_eq!(memory.heap_top(), memory.heap_start());
    assert!(memory.object_size(object).is_none() || memory.heap_top() >= object);
    memory.clean();
    let object = memory.allocate(10 * KIB, 1).unwrap();
    assert!(memory.bytes(object, 10 * KIB).iter().all(|&b| b == 0));
}

#[test]
fn hostile_headers_are_not_objects() {
    let mut memory = memory(KIB);
    let object = memory.allocate(16, 1).unwrap();
    // A size beyond the heap, and one that would wrap around.
    for size in [KIB, u32::MAX, u32::MAX - 7] {
        memory.set(object - 4, size);
        assert!(memory.object_size(object).is_none());
        memory.begin_collection(false);
        assert!(memory.evacuate(object).is_none());
    }
    for address in [0, 1, object - 8, object + 1, u32::MAX, u32::MAX - 7] {
        assert!(memory.evacuate(address).is_none());
        assert!(memory.moved(address).is_none());
    }
}

#[test]
fn positions_lead_through_code_and_back() {
    let charge = |instructions| Op::Charge {
        instructions,
        gas: u64::from(instructions) * 10,
    };
    let ops = vec![
        charge(2),
        Op::Jump { target: 1 },
        Op::Ret,
        charge(1),
        Op::Ret,
    ];
    let code = CodeRef::new(&ops);
    let start = code.at(0);
    assert_eq!(start.charge(), (2, 20));
    let behind = start.next().next();
    assert_eq!(behind.index_in(code), 2);
    assert_eq!(*behind.previous().op(), ops[1]);
    let target = behind.jump(1);
    assert_eq!((target.index_in(code), target.charge()), (3, (1, 10)));
    assert_eq!(target.jump(3u32.wrapping_neg()), start);
    assert_eq!(code.at(4).next().index_in(code), ops.len());
}
