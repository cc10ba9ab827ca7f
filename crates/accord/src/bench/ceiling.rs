//! What the machine's RSA can do: verifications and signatures on every core, as fast as they go.

use super::process::cpu_nanos;
use accord_wire::keys::PrivateKey;
use anyhow::anyhow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What one verification and one signature cost while every core is busy with them.
#[derive(Debug, Clone, Copy)]
pub struct Ceiling {
    /// CPU time of a verification.
    pub verify_nanos: u64,
    /// CPU time of a signature.
    pub sign_nanos: u64,
}

/// Cores of this process.
pub fn cores() -> u64 {
    std::thread::available_parallelism().map_or(1, usize::from) as u64
}

impl Ceiling {
    /// CPU time of so many verifications and signatures.
    pub fn nanos(&self, (verifications, signatures): (u64, u64)) -> u64 {
        self.verify_nanos.saturating_mul(verifications) + self.sign_nanos.saturating_mul(signatures)
    }

    /// Units a second that the cores could do at most in `elapsed`, were there nothing but this crypto and the load
    /// generator, which took `generator_nanos`.
    pub fn per_second(&self, crypto: (u64, u64), elapsed: Duration, generator_nanos: u64) -> u64 {
        let elapsed = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX).max(1);
        let free = cores().saturating_mul(elapsed).saturating_sub(generator_nanos);
        let units = u128::from(free) * 1_000_000_000 / u128::from(self.nanos(crypto).max(1));
        u64::try_from(units / u128::from(elapsed)).unwrap_or(u64::MAX)
    }
}

/// Measures for so many seconds.
pub fn measure(key: &PrivateKey, seconds: u32) -> anyhow::Result<Ceiling> {
    let content = vec![b'x'; 512];
    let signature = key.sign(&content)?;
    let (pairs, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let (verifying, signing) = (AtomicU64::new(0), AtomicU64::new(0));
    let before = cpu_nanos(std::process::id());
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..cores() {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let began = Instant::now();
                    let good = key.public_key().verifies(&content, &signature);
                    let verified = Instant::now();
                    if good && key.sign(&content).is_ok() {
                        pairs.fetch_add(1, Ordering::Relaxed);
                        verifying.fetch_add(nanos(verified - began), Ordering::Relaxed);
                        signing.fetch_add(nanos(verified.elapsed()), Ordering::Relaxed);
                    }
                }
            });
        }
        std::thread::sleep(Duration::from_secs(u64::from(seconds)));
        stop.store(true, Ordering::Relaxed);
    });
    let wall = nanos(began.elapsed()).saturating_mul(cores());
    let cpu = cpu_nanos(std::process::id()).zip(before).map(|(after, before)| after.saturating_sub(before));
    let (pairs, verifying) = (pairs.into_inner(), verifying.into_inner());
    let both = (verifying + signing.into_inner()).max(1);
    if pairs == 0 {
        return Err(anyhow!("this machine could not sign at all"));
    }
    // The two are told apart by the clock, their sum by CPU time: neighbours disturb the one more than the other.
    let pair = cpu.unwrap_or(wall) / pairs;
    let verify_nanos =
        u64::try_from(u128::from(pair) * u128::from(verifying) / u128::from(both)).unwrap_or(0);
    Ok(Ceiling { verify_nanos, sign_nanos: pair - verify_nanos })
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_load_generator_took_is_not_asked_of_the_server() {
        let ceiling = Ceiling { verify_nanos: 50_000, sign_nanos: 450_000 };
        let second = Duration::from_secs(1);
        assert_eq!(ceiling.nanos((1, 2)), 950_000);
        assert_eq!(ceiling.per_second((1, 1), second, 0), cores() * 2_000);
        assert_eq!(ceiling.per_second((1, 1), second, 500_000_000), cores() * 2_000 - 1_000);
        assert_eq!(ceiling.per_second((1, 1), second, u64::MAX), 0);
    }
}
