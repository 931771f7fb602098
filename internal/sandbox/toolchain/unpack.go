package toolchain

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/ulikunitz/xz"
)

// Bounds of what an archive may hold, far above what the pinned ones do.
const (
	maxUnpackedBytes = 1 << 30
	maxUnpackedFiles = 50_000

	readBuffer = 1 << 16
)

// unpackJar unpacks the one .txz file that a jar holds into the directory and removes the jar where it lies
// in that directory.
func unpackJar(ctx context.Context, jar, directory string) (err error) {
	reader, err := zip.OpenReader(jar)
	if err != nil {
		return fmt.Errorf("opening %s: %w", jar, err)
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	for _, file := range reader.File {
		if path.Ext(file.Name) != ".txz" {
			continue
		}
		if err := unpackEntry(ctx, file, directory); err != nil {
			return fmt.Errorf("unpacking %s of %s: %w", file.Name, jar, err)
		}
		if filepath.Dir(jar) == directory {
			return os.Remove(jar)
		}
		return nil
	}
	return fmt.Errorf("%s holds no .txz file", jar)
}

func unpackEntry(ctx context.Context, file *zip.File, directory string) (err error) {
	content, err := file.Open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, content.Close()) }()
	// xz reads byte by byte.
	plain, err := xz.NewReader(bufio.NewReaderSize(content, readBuffer))
	if err != nil {
		return err
	}
	return unpackTar(ctx, plain, directory, maxUnpackedBytes, maxUnpackedFiles)
}

// unpackTar unpacks a tar stream into the directory. Nothing is written outside of it, neither by names that
// lead out nor through links: os.Root refuses both, and links that lead out are refused besides.
func unpackTar(ctx context.Context, stream io.Reader, directory string, maxBytes int64, maxFiles int) (err error) {
	root, err := os.OpenRoot(directory)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	reader := tar.NewReader(stream)
	for files := 0; ; files++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if files >= maxFiles {
			return fmt.Errorf("it holds more than %d files", maxFiles)
		}
		if maxBytes -= header.Size; maxBytes < 0 {
			return errors.New("it is larger than allowed once unpacked")
		}
		if err := unpackMember(root, header, reader); err != nil {
			return fmt.Errorf("%q: %w", header.Name, err)
		}
	}
}

func unpackMember(root *os.Root, header *tar.Header, content io.Reader) error {
	name, err := inside(header.Name)
	if err != nil || name == "." {
		return err
	}
	switch header.Typeflag {
	case tar.TypeDir:
		return makeDirectories(root, name)
	case tar.TypeReg:
		if err := makeDirectories(root, path.Dir(name)); err != nil {
			return err
		}
		mode := fs.FileMode(0o644)
		if header.FileInfo().Mode()&0o100 != 0 {
			mode = 0o755
		}
		return writeFile(root, name, mode, content)
	case tar.TypeSymlink:
		if path.IsAbs(header.Linkname) {
			return fmt.Errorf("it links to %q, outside of the archive", header.Linkname)
		}
		if _, err := inside(path.Join(path.Dir(name), header.Linkname)); err != nil {
			return fmt.Errorf("it links to %q, outside of the archive", header.Linkname)
		}
		if err := makeDirectories(root, path.Dir(name)); err != nil {
			return err
		}
		return root.Symlink(header.Linkname, name)
	case tar.TypeLink: // to a member before it
		target, err := inside(header.Linkname)
		if err != nil {
			return fmt.Errorf("it links to %q, outside of the archive", header.Linkname)
		}
		if err := makeDirectories(root, path.Dir(name)); err != nil {
			return err
		}
		return root.Link(target, name)
	default:
		return fmt.Errorf("a member of type %q is not expected here", header.Typeflag)
	}
}

// makeDirectories makes a directory and those above it, for everyone to read whatever the umask is.
func makeDirectories(root *os.Root, name string) error {
	if name == "." {
		return nil
	}
	if err := root.MkdirAll(name, 0o755); err != nil {
		return err
	}
	for ; name != "."; name = path.Dir(name) {
		if err := root.Chmod(name, 0o755); err != nil {
			return err
		}
	}
	return nil
}

func writeFile(root *os.Root, name string, mode fs.FileMode, content io.Reader) (err error) {
	file, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if _, err := io.Copy(file, content); err != nil {
		return err
	}
	return file.Chmod(mode)
}

// inside cleans a name and refuses one that leads out of the directory it is relative to.
func inside(name string) (string, error) {
	clean := path.Clean(name)
	if path.IsAbs(clean) || clean == ".." || strings.HasPrefix(clean, "../") {
		return "", errors.New("the name leads out of the archive")
	}
	return clean, nil
}
