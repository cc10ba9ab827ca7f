//! The threads that sign: one bounded queue, replies before notifications, the newest active wallet key.
//!
//! A signature costs hundreds of microseconds of a core, more than all the rest of an answer; so it is done on threads
//! of its own, as many as there are cores, and the queue's length says how long an answer would wait. This file does
//! not decide what to do about that wait, and does not know what is signed.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use crate::keys::{KeyFault, PrivateKey};

use super::header::is_key_version;

/// Most jobs one thread takes from the queue at a time.
pub const MAX_BATCH: usize = 8;

/// What is called once with the outcome of a job, on the thread that signed (or, when the job is turned away, on the
/// thread that submitted it). It must be short: it holds up the next signature.
pub type DoneFn = Box<dyn FnOnce(Result<Signed, SignerFault>) + Send>;

/// Who waits for a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// A caller waits for its answer.
    Reply,
    /// The outbox: later is as good. Gets at most half of the queue and is served when no reply waits.
    Notification,
}

/// One content to sign.
pub struct SignJob {
    /// The exact bytes, see [`content_to_sign`](super::content_to_sign).
    pub content: Vec<u8>,
    /// Its lane.
    pub priority: Lane,
    /// Receives the outcome, exactly once.
    pub done: DoneFn,
}

/// A signature and the version of the key that made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// For the header's keyVersion.
    pub key_version: String,
    /// The bytes, as long as the key's modulus.
    pub signature: Vec<u8>,
}

/// Why there is no signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignerFault {
    /// The queue is full: answer 503.
    #[error("too many signatures are waiting")]
    Overloaded,
    /// The signer is shutting down.
    #[error("the signer is closed")]
    Closed,
    /// The cryptographic library failed; the content may be submitted again.
    #[error("the content could not be signed")]
    Failed,
}

/// Whoever can sign in the wallet's name.
pub trait Signer: Send + Sync {
    /// Takes a job; returns at once. `done` is called whatever happens.
    fn submit(&self, job: SignJob);

    /// How long a reply submitted now would wait for its signature, in microseconds; 0 while nothing is measured.
    fn expected_wait_micros(&self) -> u64;
}

/// Submits and waits. Never call it on a thread that must not block, nor from a `done`.
pub fn sign_blocking(signer: &dyn Signer, content: Vec<u8>, priority: Lane) -> Result<Signed, SignerFault> {
    let (sender, receiver) = mpsc::sync_channel(1);
    let done: DoneFn = Box::new(move |outcome| {
        // The receiver below lives until it has received.
        let _ = sender.send(outcome);
    });
    signer.submit(SignJob { content, priority, done });
    receiver.recv().unwrap_or(Err(SignerFault::Closed))
}

/// How contents become signatures. One engine serves all threads at once.
pub trait Engine: Send + Sync + 'static {
    /// Signs every content with `key`; the answers are in the order of the contents.
    fn sign_batch(&self, key: &PrivateKey, contents: &[&[u8]]) -> Vec<Result<Vec<u8>, KeyFault>>;

    /// How many contents this engine signs in (nearly) the time of one; the pool never hands it more, nor more than
    /// [`MAX_BATCH`]. With 1 no answer waits for its neighbours in the batch.
    fn lanes(&self) -> usize;
}

/// Signs one content after the other.
#[derive(Debug, Clone, Copy, Default)]
pub struct SingleBuffer;

impl Engine for SingleBuffer {
    fn sign_batch(&self, key: &PrivateKey, contents: &[&[u8]]) -> Vec<Result<Vec<u8>, KeyFault>> {
        contents.iter().map(|content| key.sign(content)).collect()
    }

    fn lanes(&self) -> usize {
        1
    }
}

/// A private key of the wallet with its version.
#[derive(Debug, Clone)]
pub struct WalletKey {
    /// 1 to 32 visible ASCII characters without comma.
    pub version: String,
    /// The key.
    pub key: PrivateKey,
    /// Whether it may sign. A key that is announced but not yet activated, or retired, may not.
    pub active: bool,
}

/// The wallet's keys, oldest first; the last active one signs.
#[derive(Debug, Clone)]
pub struct WalletKeys {
    keys: Vec<WalletKey>,
    signing: Arc<SigningKey>,
}

#[derive(Debug)]
struct SigningKey {
    version: String,
    key: PrivateKey,
}

/// Why a set of wallet keys cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WalletKeysFault {
    /// None of them is active.
    #[error("no wallet key is active")]
    NoneActive,
    /// A version that could not stand in the header.
    #[error("a wallet key's version must be 1 to 32 visible ASCII characters without comma")]
    Version,
    /// Two keys with one version.
    #[error("two wallet keys have the version {0}")]
    SameVersion(String),
}

impl WalletKeys {
    /// Takes the keys in the order in which they were made.
    pub fn new(keys: Vec<WalletKey>) -> Result<Self, WalletKeysFault> {
        for (index, key) in keys.iter().enumerate() {
            if !is_key_version(&key.version) {
                return Err(WalletKeysFault::Version);
            }
            if keys.iter().take(index).any(|earlier| earlier.version == key.version) {
                return Err(WalletKeysFault::SameVersion(key.version.clone()));
            }
        }
        let newest = keys.iter().rev().find(|key| key.active).ok_or(WalletKeysFault::NoneActive)?;
        let signing = Arc::new(SigningKey { version: newest.version.clone(), key: newest.key.clone() });
        Ok(Self { keys, signing })
    }

    /// All keys, oldest first.
    pub fn keys(&self) -> &[WalletKey] {
        &self.keys
    }

    /// The version that signs.
    pub fn signing_version(&self) -> &str {
        &self.signing.version
    }
}

/// Sizes of a [`SigningPool`].
#[derive(Debug, Clone, Copy)]
pub struct PoolOptions {
    /// Threads; default: the cores available to the process.
    pub threads: usize,
    /// Jobs that may wait; default 16384, far more than admission by expected wait lets in. Of these at most half (rounded up) may be notifications.
    pub capacity: usize,
}

impl Default for PoolOptions {
    fn default() -> Self {
        Self { threads: thread::available_parallelism().map_or(1, usize::from), capacity: 16_384 }
    }
}

/// Signs on threads of its own. Dropping it turns new jobs away, signs what waits, and joins the threads.
pub struct SigningPool {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    queue: Mutex<Queue>,
    wake: Condvar,
    keys: RwLock<WalletKeys>,
    engine: Box<dyn Engine>,
    threads: usize,
    capacity: usize,
    /// Moving average of the time per signature on one thread, in nanoseconds; 0 = not measured yet.
    nanos_each: AtomicU64,
}

#[derive(Default)]
struct Queue {
    replies: VecDeque<SignJob>,
    notifications: VecDeque<SignJob>,
    /// Jobs taken and not yet done.
    running: usize,
    /// Threads that wait for a job; the others look here again before they do.
    idle: usize,
    closed: bool,
}

impl SigningPool {
    /// Starts the threads with the single-buffer engine. Fails only when the system gives no thread.
    pub fn start(keys: WalletKeys, options: PoolOptions) -> std::io::Result<Self> {
        Self::with_engine(keys, options, SingleBuffer)
    }

    /// Starts the threads with another engine.
    pub fn with_engine(keys: WalletKeys, options: PoolOptions, engine: impl Engine) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            queue: Mutex::default(),
            wake: Condvar::new(),
            keys: RwLock::new(keys),
            engine: Box::new(engine),
            threads: options.threads.max(1),
            capacity: options.capacity.max(1),
            nanos_each: AtomicU64::new(0),
        });
        // Built first, so that threads already started are joined when a later one cannot be.
        let mut pool = Self { shared, threads: Vec::new() };
        for index in 0..pool.shared.threads {
            let shared = Arc::clone(&pool.shared);
            let thread = thread::Builder::new().name(format!("sign-{index}")).spawn(move || shared.run())?;
            pool.threads.push(thread);
        }
        Ok(pool)
    }

    /// Replaces the wallet's keys. Jobs taken from now on are signed with the new signing key.
    pub fn replace_keys(&self, keys: WalletKeys) {
        *self.shared.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
    }

    /// The wallet's keys as they are now.
    pub fn keys(&self) -> WalletKeys {
        self.shared.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Jobs that wait, both lanes, without those being signed.
    pub fn waiting(&self) -> usize {
        let queue = self.shared.lock();
        queue.replies.len() + queue.notifications.len()
    }

    /// How long all threads together take for so many signatures, in microseconds; 0 while nothing is measured.
    pub fn micros_for(&self, signatures: u64) -> u64 {
        let nanos = signatures.saturating_mul(self.shared.nanos_each.load(Ordering::Relaxed));
        nanos / (self.shared.threads as u64) / 1000
    }

    /// Moving average of the time per signature on one thread, in microseconds; 0 while nothing is measured.
    pub fn micros_per_signature(&self) -> u64 {
        self.shared.nanos_each.load(Ordering::Relaxed).div_ceil(1000)
    }
}

impl Signer for SigningPool {
    fn submit(&self, job: SignJob) {
        let (refused, idle) = {
            let mut queue = self.shared.lock();
            let waiting = queue.replies.len() + queue.notifications.len();
            let full = waiting >= self.shared.capacity
                || (job.priority == Lane::Notification
                    && queue.notifications.len() >= self.shared.capacity.div_ceil(2));
            let refused = match (queue.closed, full, job.priority) {
                (true, ..) => Some((job, SignerFault::Closed)),
                (false, true, _) => Some((job, SignerFault::Overloaded)),
                (false, false, Lane::Reply) => {
                    queue.replies.push_back(job);
                    None
                }
                (false, false, Lane::Notification) => {
                    queue.notifications.push_back(job);
                    None
                }
            };
            (refused, queue.idle > 0)
        };
        match refused {
            // To wake is a call of the system, also when nobody sleeps.
            None if idle => self.shared.wake.notify_one(),
            None => {}
            Some((job, fault)) => finish(job.done, Err(fault)),
        }
    }

    fn expected_wait_micros(&self) -> u64 {
        let ahead = {
            let queue = self.shared.lock();
            queue.replies.len() + queue.running
        };
        let rounds = (ahead as u64).saturating_mul(self.shared.nanos_each.load(Ordering::Relaxed));
        rounds / (self.shared.threads as u64) / 1000
    }
}

impl Drop for SigningPool {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.wake.notify_all();
        for thread in self.threads.drain(..) {
            // A `done` may hold the last handle to the pool: a thread cannot wait for itself.
            if thread.thread().id() != thread::current().id() {
                let _ = thread.join();
            }
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        // Nothing that can panic runs under the lock, so a poisoned queue is still whole.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One thread's life: until the pool is closed and nothing waits.
    fn run(&self) {
        while let Some(batch) = self.take() {
            let count = batch.len();
            let signing = Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner).signing);
            let contents: Vec<&[u8]> = batch.iter().map(|job| job.content.as_slice()).collect();
            let began = Instant::now();
            let signed = catch_unwind(AssertUnwindSafe(|| self.engine.sign_batch(&signing.key, &contents)));
            if signed.is_ok() {
                self.measure(began, count);
            }
            self.lock().running -= count;
            let mut values = signed.unwrap_or_default().into_iter();
            for job in batch {
                // An engine that panicked or answered too little leaves its jobs failed, not hanging.
                let outcome = match values.next() {
                    Some(Ok(signature)) => Ok(Signed { key_version: signing.version.clone(), signature }),
                    Some(Err(_)) | None => Err(SignerFault::Failed),
                };
                finish(job.done, outcome);
            }
        }
    }

    /// Waits for work and takes as much as the engine does at once; `None` when closed and empty.
    fn take(&self) -> Option<Vec<SignJob>> {
        let limit = self.engine.lanes().clamp(1, MAX_BATCH);
        let mut queue = self.lock();
        loop {
            let mut batch = Vec::new();
            while batch.len() < limit {
                let Some(job) = queue.replies.pop_front() else { break };
                batch.push(job);
            }
            while batch.len() < limit {
                let Some(job) = queue.notifications.pop_front() else { break };
                batch.push(job);
            }
            if !batch.is_empty() {
                queue.running += batch.len();
                return Some(batch);
            }
            if queue.closed {
                return None;
            }
            queue.idle += 1;
            queue = self.wake.wait(queue).unwrap_or_else(PoisonError::into_inner);
            queue.idle -= 1;
        }
    }

    /// Moves the average an eighth of the way; the first measurement is taken whole.
    fn measure(&self, began: Instant, count: usize) {
        let elapsed = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let each = (elapsed / count.max(1) as u64).max(1);
        // Threads may overwrite each other's step: it is an estimate.
        let before = self.nanos_each.load(Ordering::Relaxed);
        let after = if before == 0 { each } else { before - before / 8 + each / 8 };
        self.nanos_each.store(after, Ordering::Relaxed);
    }
}

/// Calls `done`; a panic in it is the submitter's and must not take a signing thread along.
fn finish(done: DoneFn, outcome: Result<Signed, SignerFault>) {
    let _ = catch_unwind(AssertUnwindSafe(|| done(outcome)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::PublicKey;
    use std::sync::LazyLock;

    static PAIRS: LazyLock<[(String, String); 2]> =
        LazyLock::new(|| [PrivateKey::generate().unwrap(), PrivateKey::generate().unwrap()]);

    fn wallet(versions: &[(&str, usize, bool)]) -> WalletKeys {
        let key = |&(version, pair, active): &(&str, usize, bool)| WalletKey {
            version: version.to_owned(),
            key: PrivateKey::parse(&PAIRS[pair].0).unwrap(),
            active,
        };
        WalletKeys::new(versions.iter().map(key).collect()).unwrap()
    }

    /// Signs nothing: says what it was given, and waits at a gate.
    struct Gate {
        open: Arc<(Mutex<bool>, Condvar)>,
        batches: mpsc::Sender<Vec<Vec<u8>>>,
    }

    impl Engine for Gate {
        fn sign_batch(&self, _: &PrivateKey, contents: &[&[u8]]) -> Vec<Result<Vec<u8>, KeyFault>> {
            let batch: Vec<Vec<u8>> = contents.iter().map(|content| content.to_vec()).collect();
            self.batches.send(batch.clone()).unwrap();
            let mut open = self.open.0.lock().unwrap();
            while !*open {
                open = self.open.1.wait(open).unwrap();
            }
            drop(open); // the panic must not poison the gate
            assert!(!contents.contains(&b"bad".as_slice()), "the engine breaks");
            batch.into_iter().map(Ok).collect()
        }
        fn lanes(&self) -> usize {
            99
        }
    }

    struct Gated {
        pool: SigningPool,
        open: Arc<(Mutex<bool>, Condvar)>,
        batches: mpsc::Receiver<Vec<Vec<u8>>>,
    }

    fn gated(capacity: usize) -> Gated {
        let open = Arc::new((Mutex::new(false), Condvar::new()));
        let (sender, batches) = mpsc::channel();
        let engine = Gate { open: Arc::clone(&open), batches: sender };
        let pool =
            SigningPool::with_engine(wallet(&[("1", 0, true)]), PoolOptions { threads: 1, capacity }, engine);
        Gated { pool: pool.unwrap(), open, batches }
    }

    impl Gated {
        fn submit(&self, content: &str, priority: Lane) -> mpsc::Receiver<Result<Signed, SignerFault>> {
            let (sender, receiver) = mpsc::channel();
            let done: DoneFn = Box::new(move |outcome| sender.send(outcome).unwrap());
            self.pool.submit(SignJob { content: content.into(), priority, done });
            receiver
        }
        /// Occupies the only thread.
        fn occupy(&self) -> mpsc::Receiver<Result<Signed, SignerFault>> {
            let first = self.submit("first", Lane::Reply);
            assert_eq!(self.batches.recv().unwrap(), [b"first"]);
            first
        }
        fn open(&self) {
            *self.open.0.lock().unwrap() = true;
            self.open.1.notify_all();
        }
    }

    #[test]
    fn the_newest_active_key_signs_and_can_be_replaced() {
        let pool =
            SigningPool::start(wallet(&[("1", 0, true), ("2", 1, false)]), PoolOptions::default()).unwrap();
        let first = sign_blocking(&pool, b"content".to_vec(), Lane::Reply).unwrap();
        assert_eq!(first.key_version, "1");
        assert!(PublicKey::parse(&PAIRS[0].1).unwrap().verifies(b"content", &first.signature));
        assert!(pool.micros_per_signature() > 0);
        pool.replace_keys(wallet(&[("1", 0, true), ("2", 1, true)]));
        let second = sign_blocking(&pool, b"content".to_vec(), Lane::Notification).unwrap();
        assert_eq!((second.key_version.as_str(), pool.keys().signing_version()), ("2", "2"));
        assert!(PublicKey::parse(&PAIRS[1].1).unwrap().verifies(b"content", &second.signature));
    }

    #[test]
    fn replies_go_first_and_at_most_eight_are_taken_together() {
        let gated = gated(100);
        let first = gated.occupy();
        let notification = gated.submit("n", Lane::Notification);
        let replies: Vec<_> = (0..9).map(|n| gated.submit(&format!("r{n}"), Lane::Reply)).collect();
        assert_eq!(gated.pool.waiting(), 10);
        gated.open();
        let batch = gated.batches.recv().unwrap();
        assert_eq!((batch.len(), batch[0].as_slice(), batch[7].as_slice()), (8, &b"r0"[..], &b"r7"[..]));
        assert_eq!(gated.batches.recv().unwrap(), [b"r8".to_vec(), b"n".to_vec()]);
        assert_eq!(first.recv().unwrap().unwrap().signature, b"first");
        for (n, reply) in replies.iter().enumerate() {
            assert_eq!(reply.recv().unwrap().unwrap().signature, format!("r{n}").into_bytes());
        }
        assert_eq!(notification.recv().unwrap().unwrap().signature, b"n");
    }

    #[test]
    fn a_full_queue_turns_away_and_notifications_leave_room_for_replies() {
        let gated = gated(4);
        let _first = gated.occupy();
        let kept = [gated.submit("n", Lane::Notification), gated.submit("n", Lane::Notification)];
        assert_eq!(gated.submit("n", Lane::Notification).recv().unwrap(), Err(SignerFault::Overloaded));
        let replies = [gated.submit("r", Lane::Reply), gated.submit("r", Lane::Reply)];
        assert_eq!(gated.submit("r", Lane::Reply).recv().unwrap(), Err(SignerFault::Overloaded));
        gated.open();
        for done in kept.iter().chain(&replies) {
            assert!(done.recv().unwrap().is_ok());
        }
    }

    #[test]
    fn the_wait_grows_with_the_replies_that_are_ahead() {
        let gated = gated(100);
        assert_eq!(gated.pool.expected_wait_micros(), 0);
        gated.pool.shared.nanos_each.store(400_000, Ordering::Relaxed);
        assert_eq!(gated.pool.expected_wait_micros(), 0);
        let _first = gated.occupy();
        let _replies = [gated.submit("r", Lane::Reply), gated.submit("n", Lane::Notification)];
        assert_eq!(gated.pool.expected_wait_micros(), 800);
        assert_eq!(gated.pool.micros_for(100), 40_000);
        gated.open();
    }

    #[test]
    fn a_panic_in_a_callback_or_in_the_engine_kills_no_thread() {
        let gated = gated(100);
        gated.open();
        let bang: DoneFn = Box::new(|_| panic!("the submitter breaks"));
        gated.pool.submit(SignJob { content: b"a".to_vec(), priority: Lane::Reply, done: bang });
        assert_eq!(gated.submit("bad", Lane::Reply).recv().unwrap(), Err(SignerFault::Failed));
        assert!(sign_blocking(&gated.pool, b"b".to_vec(), Lane::Reply).is_ok());
    }

    #[test]
    fn closing_signs_what_waits_and_joins() {
        let gated = gated(100);
        let first = gated.occupy();
        let waiting = gated.submit("r", Lane::Reply);
        gated.pool.shared.lock().closed = true;
        assert_eq!(gated.submit("late", Lane::Reply).recv().unwrap(), Err(SignerFault::Closed));
        gated.open();
        let shared = Arc::downgrade(&gated.pool.shared);
        drop(gated.pool);
        assert!(first.recv().unwrap().is_ok() && waiting.recv().unwrap().is_ok());
        assert!(shared.upgrade().is_none(), "a thread still runs");
    }

    #[test]
    fn the_last_handle_may_be_dropped_by_a_callback() {
        let pool = Arc::new(SigningPool::start(wallet(&[("1", 0, true)]), PoolOptions::default()).unwrap());
        let (sender, receiver) = mpsc::channel();
        let held = Arc::clone(&pool);
        let done: DoneFn = Box::new(move |outcome| {
            drop(held);
            sender.send(outcome.is_ok()).unwrap();
        });
        pool.submit(SignJob { content: b"a".to_vec(), priority: Lane::Reply, done });
        drop(pool);
        assert!(receiver.recv().unwrap());
    }

    #[test]
    fn keys_that_could_not_sign_are_refused() {
        let key = |version: &str, active| WalletKey {
            version: version.to_owned(),
            key: PrivateKey::parse(&PAIRS[0].0).unwrap(),
            active,
        };
        let fault = |keys| WalletKeys::new(keys).unwrap_err();
        assert_eq!(fault(vec![]), WalletKeysFault::NoneActive);
        assert_eq!(fault(vec![key("1", false)]), WalletKeysFault::NoneActive);
        assert_eq!(fault(vec![key("1,2", true)]), WalletKeysFault::Version);
        assert_eq!(fault(vec![key("1", true), key("1", true)]), WalletKeysFault::SameVersion("1".into()));
    }
}
