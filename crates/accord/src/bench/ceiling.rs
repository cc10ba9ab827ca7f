//! The machine's RSA ceiling: one verification and one signature, on every core, as fast as they go.

use super::process::cpu_nanos;
use accord_wire::keys::PrivateKey;
use anyhow::anyhow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What the machine can do when it does nothing else.
pub struct Ceiling {
    /// Pairs of a verification and a signature a second, all cores together.
    pub per_second: u64,
    /// CPU time of one pair.
    pub cpu_nanos_each: u64,
}

/// Measures for so many seconds.
pub fn measure(key: &PrivateKey, seconds: u32) -> anyhow::Result<Ceiling> {
    let content = vec![b'x'; 512];
    let signature = key.sign(&content)?;
    let (pairs, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let before = cpu_nanos(std::process::id());
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let good = key.public_key().verifies(&content, &signature);
                    if good && key.sign(&content).is_ok() {
                        pairs.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
        std::thread::sleep(Duration::from_secs(u64::from(seconds)));
        stop.store(true, Ordering::Relaxed);
    });
    let elapsed = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
    let cpu = cpu_nanos(std::process::id()).zip(before).map(|(after, before)| after.saturating_sub(before));
    let pairs = pairs.into_inner();
    if pairs == 0 {
        return Err(anyhow!("this machine could not sign at all"));
    }
    Ok(Ceiling {
        per_second: pairs.saturating_mul(1_000_000) / elapsed.max(1),
        cpu_nanos_each: cpu.unwrap_or(0) / pairs,
    })
}
