//! Images of a context: what one instance loaded and lowered, for others to start from.
//!
//! An image is the linear memory of an instance between calls, with its few mutable globals and the tokens of its code. Workers map it copy on
//! write. Between blocks one
//! builder instance lowers what the workers of the last block reported; its image is the next one. Every worker that starts from an image has
//! the same ids and code addresses in it; what it adds in a block stays its own. The tables of functions that the guest's module has are the
//! same in every instance of it; those of generated code, when there is some, would be linked anew in the order of [`Image::functions`].

use crate::bridge::CodeTable;
use crate::engine::Engine;
use crate::instance::{CallError, Instance};
#[cfg(target_os = "linux")]
use crate::memory::ImageFile;
use crate::outcome::HostError;
use crate::state::{StateError, StateView};
use monomove_core::{ContextStats, LoadRequest};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::{fmt, io};

/// Unit in which memory is compared with zero: a page of most processors, so that what is not written is not touched.
const CHUNK: usize = 4096;

/// Bytes of a page of wasm memory.
const WASM_PAGE: usize = 65536;

/// Functions that a builder keeps lowered at most; beyond, it starts over with what the last block used.
const MAX_FUNCTIONS: usize = 1 << 16;

/// The state of an instance between calls.
pub struct Image {
    /// Whose it is; set by the builder.
    engine: Option<Engine>,
    pages: u64,
    bytes: usize,
    /// Memory that is not zero: where it starts, and its bytes. Empty once it is in the file.
    runs: Vec<(usize, Box<[u8]>)>,
    #[cfg(target_os = "linux")]
    file: Option<ImageFile>,
    stack_pointer: Option<u32>,
    code: CodeTable,
    functions: Vec<LoadRequest>,
    stats: ContextStats,
}

impl Image {
    /// The image of an instance. Of the first `initial` bytes, which a fresh instance has contents in, zeros are kept too.
    pub(crate) fn of(
        memory: &[u8],
        initial: usize,
        stack_pointer: Option<u32>,
        code: CodeTable,
    ) -> Self {
        let mut runs: Vec<(usize, Vec<u8>)> = Vec::new();
        for (index, chunk) in memory.chunks(CHUNK).enumerate() {
            let start = index * CHUNK;
            if start >= initial && is_zero(chunk) {
                continue;
            }
            match runs.last_mut() {
                Some((at, bytes)) if *at + bytes.len() == start => bytes.extend_from_slice(chunk),
                _ => runs.push((start, chunk.to_vec())),
            }
        }
        Self {
            engine: None,
            bytes: runs.iter().map(|(_, bytes)| bytes.len()).sum(),
            #[cfg(target_os = "linux")]
            file: None,
            pages: (memory.len() / WASM_PAGE) as u64,
            runs: runs
                .into_iter()
                .map(|(at, bytes)| (at, bytes.into()))
                .collect(),
            stack_pointer,
            code,
            functions: Vec::new(),
            stats: ContextStats::default(),
        }
    }

    /// Puts the contents into a file that memories can map. Where that fails, they are copied.
    #[cfg(target_os = "linux")]
    fn into_file(mut self) -> Self {
        if let Ok(file) = ImageFile::new(self.pages as usize * WASM_PAGE, &self.runs) {
            self.file = Some(file);
            self.runs = Vec::new();
        }
        self
    }

    #[cfg(not(target_os = "linux"))]
    fn into_file(self) -> Self {
        self
    }

    /// Puts the image into the memory of a fresh instance, which has at least its size.
    pub(crate) fn write(&self, memory: &mut [u8]) -> io::Result<()> {
        #[cfg(target_os = "linux")]
        if let Some(file) = &self.file {
            return file.map(memory);
        }
        for (start, bytes) in &self.runs {
            match memory.get_mut(*start..start + bytes.len()) {
                Some(to) => to.copy_from_slice(bytes),
                None => return Err(io::ErrorKind::InvalidInput.into()),
            }
        }
        Ok(())
    }

    pub(crate) fn pages(&self) -> u64 {
        self.pages
    }

    pub(crate) fn stack_pointer(&self) -> Option<u32> {
        self.stack_pointer
    }

    pub(crate) fn code(&self) -> &CodeTable {
        &self.code
    }

    /// Whether `view` has all the code that it was made of.
    pub(crate) fn is_current(&self, view: &dyn StateView) -> Result<bool, StateError> {
        self.code.is_all_in(view)
    }

    pub(crate) fn is_of(&self, engine: &Engine) -> bool {
        self.engine.as_ref().is_some_and(|own| own.is_same(engine))
    }

    /// Bytes of its contents.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The functions that were lowered for it, in their order.
    pub fn functions(&self) -> &[LoadRequest] {
        &self.functions
    }

    /// Sizes of the tables in it.
    pub fn stats(&self) -> &ContextStats {
        &self.stats
    }
}

impl fmt::Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Image")
            .field("bytes", &self.bytes())
            .field("functions", &self.functions.len())
            .finish_non_exhaustive()
    }
}

fn is_zero(chunk: &[u8]) -> bool {
    chunk.iter().fold(0, |all, byte| all | byte) == 0
}

/// Makes the images of one engine, between blocks.
pub struct ImageBuilder {
    engine: Engine,
    instance: Option<Instance>,
    wanted: BTreeSet<LoadRequest>,
    image: Option<Arc<Image>>,
}

impl ImageBuilder {
    /// A builder without an image. The native backend has no images: its builder never makes one.
    pub fn new(engine: &Engine) -> Self {
        Self {
            engine: engine.clone(),
            instance: None,
            wanted: BTreeSet::new(),
            image: None,
        }
    }

    /// Whether `request` is in the image, or was to be.
    pub(crate) fn knows(&self, request: &LoadRequest) -> bool {
        self.wanted.contains(request)
    }

    /// The image that was made last.
    pub fn image(&self) -> Option<&Arc<Image>> {
        self.image.as_ref()
    }

    /// The image for the next block: the same as before if workers reported nothing new and no code changed. When code changed
    /// (`code_changed`), it is made anew from nothing, so that what belonged to the old code is gone.
    ///
    /// An instance that breaks on the way costs the image only: workers start from nothing then.
    pub fn update(
        &mut self,
        requests: impl IntoIterator<Item = LoadRequest>,
        code_changed: bool,
        view: &dyn StateView,
    ) -> Result<Option<Arc<Image>>, HostError> {
        let mut fresh: Vec<LoadRequest> = requests
            .into_iter()
            .filter(|request| self.wanted.insert(request.clone()))
            .collect();
        if self.engine.wasm().is_none() || (fresh.is_empty() && !code_changed) {
            return Ok(self.image.clone());
        }
        let overflow = self.wanted.len() > MAX_FUNCTIONS;
        if overflow {
            self.wanted = fresh.drain(..).take(MAX_FUNCTIONS).collect();
        }
        if code_changed || overflow || self.instance.is_none() {
            self.instance = None;
            fresh = self.wanted.iter().cloned().collect();
        }
        match self.build(&fresh, view) {
            Ok(image) => self.image = Some(Arc::new(image)),
            Err(CallError::Host(error)) => return Err(error),
            Err(CallError::State(error)) => return Err(error.into()),
            Err(CallError::Fault(_)) => {
                self.wanted.clear();
                self.image = None;
            }
        }
        Ok(self.image.clone())
    }

    fn build(&mut self, fresh: &[LoadRequest], view: &dyn StateView) -> Result<Image, CallError> {
        // It is put back only if it is sound afterwards.
        let mut instance = match self.instance.take() {
            Some(instance) => instance,
            None => Instance::new(&self.engine)?,
        };
        let stats = instance.prepare(fresh, view)?;
        let image = Image {
            engine: Some(self.engine.clone()),
            functions: self.wanted.iter().cloned().collect(),
            stats,
            ..instance.snapshot().into_file()
        };
        if !instance.is_full() {
            self.instance = Some(instance);
        }
        Ok(image)
    }
}

impl fmt::Debug for ImageBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImageBuilder")
            .field("wanted", &self.wanted.len())
            .field("image", &self.image)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::MemoryState;
    use crate::limits::Limits;

    #[test]
    fn workers_of_one_image_are_equal_byte_for_byte() {
        let engine = Engine::new(Limits::default()).unwrap();
        let mut builder = ImageBuilder::new(&engine);
        let request = LoadRequest {
            module: "0x1::m".parse().unwrap(),
            function: "f".parse().unwrap(),
            ty_args: vec![],
        };
        let image = builder
            .update([request], false, &MemoryState::new())
            .unwrap()
            .unwrap();
        // Mapped, as workers do; and copied, as other systems do.
        let mapped = || Instance::restore(&engine, &image).ok().unwrap().snapshot();
        let (one, two) = (mapped(), mapped());
        let mut fresh = Instance::new(&engine).ok().unwrap();
        let copied = {
            let source = Instance::restore(&engine, &one).ok().unwrap().snapshot();
            assert!(!source.runs.is_empty());
            source
        };
        assert_eq!(one.runs, two.runs);
        assert_eq!(one.runs, copied.runs);
        assert_eq!(one.stack_pointer, image.stack_pointer);
        assert_eq!((one.pages, two.pages), (image.pages, image.pages));
        assert_ne!(one.runs, fresh.snapshot().runs);
    }
}
